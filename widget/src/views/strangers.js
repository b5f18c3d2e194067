/** What becomes of calls with numbers that the CRM does not know: a rule per kind of call, for all lines or for one. */

import { CallKind, StrangerWay } from "../vocabulary.js";
import { button, fill, h } from "./dom.js";
import { input, labelled, outcome, run, section, select } from "./form.js";

/** @typedef {import("./settings.js").Page} Page */
/**
 * @typedef {object} Rule
 * @property {string} kind
 * @property {string} way
 * @property {string} [line_id] for all lines without one
 * @property {number} [pipeline_id]
 * @property {number} [status_id]
 * @property {number} [responsible_id]
 * @property {string[]} [tags]
 */
/** @typedef {{id: number, name: string, statuses: {id: number, name: string}[]}} Pipeline */
/** @typedef {{box: HTMLElement, read: () => Rule | null}} Row */

/** @type {string[]} */
const INCOMING = [CallKind.IN_ANSWERED, CallKind.IN_MISSED];
const AS_ALL = "";

/** @param {Page} page */
export function strangers(page) {
  const { t, data } = page;
  /** @type {Rule[]} */
  let rules = data.account.strangers || [];
  /** @type {Row[]} */
  let rows = [];
  /** @type {Pipeline[]} */
  let pipelines = [];
  let line = AS_ALL;
  const place = outcome();
  const table = h("div", { "data-kmt": "strangers" });
  const scope = select(
    [
      { value: AS_ALL, label: t("strangers.all_lines") },
      ...data.lines.map((/** @type {any} */ one) => ({ value: one.id, label: one.name })),
    ],
    { "data-kmt": "strangers-line" },
  );
  scope.addEventListener("change", () => {
    rules = merged();
    line = scope.value;
    paint();
  });
  const save = button(t("settings.save"), store, { kind: "primary", "data-kmt": "strangers-save" });

  /** The rules with what is typed for the line in view. */
  function merged() {
    const typed = /** @type {Rule[]} */ (rows.map((row) => row.read()).filter(Boolean));
    return [...rules.filter((rule) => (rule.line_id || AS_ALL) !== line), ...typed];
  }

  function paint() {
    rows = Object.values(CallKind).map((kind) => {
      const known = rules.find((rule) => rule.kind === kind && (rule.line_id || AS_ALL) === line);
      return row(kind, known, { line, pipelines, page });
    });
    fill(table, ...rows.map((one) => one.box));
  }

  function store() {
    run(save, place, {
      t,
      work: async () => {
        rules = merged();
        await page.api.request("PUT", "/api/settings/account", { strangers: rules });
        return t("settings.saved");
      },
    });
  }

  paint();
  // amoCRM is asked while the window is open already: the rest of the panel does not wait for it.
  page.api.request("GET", "/api/settings/pipelines").then(
    (answer) => {
      rules = merged();
      pipelines = answer.pipelines;
      paint();
    },
    () => undefined, // the CRM's own choice of a pipeline can be kept all the same
  );
  return section(
    t("strangers.title"),
    t("strangers.hint"),
    data.lines.length > 1 && labelled(t("strangers.for"), scope),
    table,
    h("div", { class: "kmt-foot" }, save),
    place,
  );
}

/**
 * One kind of call: what to do, and how.
 * @param {string} kind
 * @param {Rule | undefined} known
 * @param {{line: string, pipelines: Pipeline[], page: Page}} options
 * @returns {Row}
 */
function row(kind, known, { line, pipelines, page: { t, data } }) {
  const ways = Object.values(StrangerWay).filter((way) => way !== StrangerWay.UNSORTED || INCOMING.includes(kind));
  const offered = ways.map((value) => ({ value, label: t(`strangers.way.${value}`) }));
  const way = select(line ? [{ value: AS_ALL, label: t("strangers.as_all") }, ...offered] : offered, {
    "data-kmt": `stranger-${kind}`,
  });
  way.value = known ? known.way : line ? AS_ALL : data.stranger_defaults[kind];
  const fields = details(known, { kind, pipelines, users: data.users, t });
  const show = () => fields.show(way.value);
  way.addEventListener("change", show);
  show();
  const box = h("div", { class: "kmt-rule" }, labelled(t(`strangers.kind.${kind}`), way), fields.box);
  return { box, read: () => (way.value ? { kind, way: way.value, line_id: line, ...fields.read(way.value) } : null) };
}

/**
 * Pipeline, owner and tags, as far as the chosen way has use for them.
 * @param {Rule | undefined} known
 * @param {{kind: string, pipelines: Pipeline[], users: any[], t: import("../text.js").Texts}} options
 */
function details(known, { kind, pipelines, users, t }) {
  const stages = pipelines.flatMap((one) => [
    { value: `${one.id}:0`, label: one.name },
    ...one.statuses.map((status) => ({ value: `${one.id}:${status.id}`, label: `${one.name} · ${status.name}` })),
  ]);
  const kept = `${(known && known.pipeline_id) || 0}:${(known && known.status_id) || 0}`;
  // A pipeline that is not known (yet) must not be lost by saving something else.
  const lost = [{ value: kept, label: kept }].filter((one) => kept !== "0:0" && !stages.some((s) => s.value === kept));
  const stage = select([{ value: "0:0", label: t("strangers.crm_chooses") }, ...stages, ...lost], {
    "data-kmt": `stranger-stage-${kind}`,
  });
  stage.value = kept;
  const people = users.filter((user) => user.is_active !== false).map(({ id, name }) => ({ value: id, label: name }));
  const owner = select([{ value: "0", label: t("strangers.calls_agent") }, ...people], {
    "data-kmt": `stranger-owner-${kind}`,
  });
  owner.value = String((known && known.responsible_id) || 0);
  const tags = input({ value: ((known && known.tags) || []).join(", "), "data-kmt": `stranger-tags-${kind}` });
  const parts = {
    stage: labelled(t("strangers.stage"), stage),
    owner: labelled(t("strangers.owner"), owner),
    tags: labelled(t("strangers.tags"), tags),
  };
  const box = h("div", { class: "kmt-rule-more" }, parts.stage, parts.owner, parts.tags);

  /** @param {string} way */
  const uses = (way) => ({
    isUnsorted: way === StrangerWay.UNSORTED,
    stage: way === StrangerWay.UNSORTED || way === StrangerWay.LEAD,
    owner: way === StrangerWay.CONTACT || way === StrangerWay.LEAD,
    tags: way !== StrangerWay.NOTHING && way !== AS_ALL,
  });

  return {
    box,
    /** @param {string} way */
    show(way) {
      const used = uses(way);
      // A record of Unsorted has a pipeline, and gets its stage when it is accepted.
      for (const option of stage.options) option.hidden = option.disabled = used.isUnsorted && !option.value.endsWith(":0");
      if (used.isUnsorted) stage.value = stage.value.replace(/:.*/, ":0");
      parts.stage.hidden = !used.stage;
      parts.owner.hidden = !used.owner;
      parts.tags.hidden = !used.tags;
      box.hidden = !used.tags;
    },
    /** @param {string} way */
    read(way) {
      const used = uses(way);
      const [pipeline, status] = stage.value.split(":").map(Number);
      const words = tags.value.split(",").map((word) => word.trim());
      return {
        pipeline_id: used.stage ? pipeline : 0,
        status_id: used.stage ? status : 0,
        responsible_id: used.owner ? Number(owner.value) : 0,
        tags: used.tags ? words.filter(Boolean) : [],
      };
    },
  };
}
