/** What is known of a call, in rows: company, lead, colleagues, line, result, namesakes. */

import { pretty } from "../phone.js";
import { isLive } from "../state.js";
import { CardState } from "../vocabulary.js";
import { h, link } from "./dom.js";

/** @typedef {import("../vocabulary.js").CallView} CallView */

/** So many namesakes fit; the rest is a number. */
const OTHERS_SHOWN = 3;

/**
 * @param {CallView} call
 * @param {import("./card.js").Context} context
 */
export function facts(call, { t, go }) {
  const { company, lead, leads_open: leads = 0, responsible, others = [] } = call.caller;
  const line = [call.line_name, call.our_line && pretty(call.our_line)].filter(Boolean).join(" · ");
  const rows = [
    company && row(t("card.company"), "company", link(company.name, company.path, go)),
    lead &&
      row(
        t("card.lead"),
        "lead",
        link(lead.name, lead.path, go),
        leads > 1 && h("span", { class: "kmt-more" }, t("card.more_leads", { n: leads - 1 })),
      ),
    responsible && row(t("card.responsible"), "responsible", responsible.name),
    call.answered_by &&
      call.state === CardState.ELSEWHERE &&
      row(t("card.answered_by"), "answered-by", call.answered_by.name),
    call.transferred_by && row(t("card.transferred_by"), "transferred-by", call.transferred_by.name),
    line && row(t("card.line"), "line", line),
    call.result && !call.talk_s && !isLive(call) && row(t("card.result"), "result", t(`results.${call.result}`)),
    others.length > 0 && row(t("card.others"), "others", namesakes(others, { t, go })),
  ];
  return h("dl", { class: "kmt-facts" }, ...rows);
}

/**
 * @param {string} label
 * @param {string} hook
 * @param {...import("./dom.js").Child} value
 */
function row(label, hook, ...value) {
  const title = typeof value[0] === "string" ? value[0] : null;
  return [h("dt", {}, label), h("dd", { title, "data-kmt": hook }, ...value)];
}

/**
 * @param {import("../vocabulary.js").Link[]} others
 * @param {{t: import("../text.js").Texts, go: (path: string) => void}} context
 */
function namesakes(others, { t, go }) {
  const shown = others.slice(0, OTHERS_SHOWN).map((other) => link(other.name, other.path, go));
  const rest = others.length - shown.length;
  return h(
    "span",
    { class: "kmt-list" },
    ...shown,
    rest > 0 && h("span", { class: "kmt-more" }, t("card.more_others", { n: rest })),
  );
}
