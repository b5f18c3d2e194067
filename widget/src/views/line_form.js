/** The form of a line. Credentials go to the backend with the request and live nowhere else than in these fields. */

import { Capability } from "../vocabulary.js";
import { button, fill, h } from "./dom.js";
import { input, labelled, outcome, run, select } from "./form.js";

/** @typedef {import("./settings.js").Page} Page */

/**
 * @param {any} line null for a new one
 * @param {Page} page
 * @param {() => void} close
 */
export function lineForm(line, page, close) {
  const { t, data } = page;
  const place = outcome();
  const fields = h("div", {});
  const name = input({ value: line ? line.name : "", required: true, maxlength: 60, "data-kmt": "line-name" });
  const vendor = select(
    data.providers.map((/** @type {any} */ one) => ({ value: one.name, label: one.title })),
    { "data-kmt": "line-provider" },
  );
  /** @type {ReturnType<typeof vendorFields>} */
  let asked;
  const draw = () => {
    asked = vendorFields(providerOf(line ? line.provider : vendor.value, page), line, page);
    fill(fields, ...asked.nodes);
  };
  vendor.addEventListener("change", draw);
  draw();

  const save = h(
    "button",
    { type: "submit", class: "kmt-button kmt-button-primary", "data-kmt": "line-save" },
    line ? t("settings.save") : t("lines.connect"),
  );
  const work = async () => {
    const body = { name: name.value.trim(), ...asked.read() };
    if (line) await page.api.request("PUT", `/api/lines/${line.id}`, body);
    else await page.api.request("POST", "/api/lines", { provider: vendor.value, ...body });
    await page.reload();
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    run(save, place, { t, work });
  };
  return h(
    "form",
    { class: "kmt-box", "data-kmt": "line-form", on: { submit } },
    !line && labelled(t("lines.provider"), vendor),
    labelled(t("lines.name"), name, t("lines.name_hint")),
    fields,
    h("div", { class: "kmt-foot" }, save, button(t("settings.cancel"), close)),
    place,
  );
}

/**
 * @param {string} name
 * @param {Page} page
 */
export function providerOf(name, { data }) {
  return (
    data.providers.find((/** @type {any} */ one) => one.name === name) || {
      name,
      title: name,
      fields: [],
      capabilities: [],
    }
  );
}

/**
 * What this vendor asks for.
 * @param {any} provider
 * @param {any} line
 * @param {Page} page
 */
function vendorFields(provider, line, { t }) {
  const known = (line && line.credentials) || {};
  const credentials = provider.fields.map((/** @type {any} */ field) => ({
    field,
    node: credential(field, { value: known[field.name], isNew: !line, t }),
  }));
  const ours = input({
    value: ((line && line.our_lines) || []).join(", "),
    placeholder: "+74951234567, +78121234567",
    "data-kmt": "line-ours",
  });
  const schemes = /** @type {HTMLTextAreaElement} */ (
    h(
      "textarea",
      { class: "kmt-input", rows: 2, placeholder: t("lines.schemes_example"), "data-kmt": "line-schemes" },
      asText((line && line.schemes) || {}),
    )
  );
  const hasSchemes = provider.capabilities.includes(Capability.DIAL_SCHEME);
  const label = (/** @type {string} */ name) => (t.has(`fields.${name}`) ? t(`fields.${name}`) : name);
  const hint = (/** @type {string} */ name) => (t.has(`field_hints.${name}`) ? t(`field_hints.${name}`) : "");
  return {
    nodes: [
      ...credentials.map((/** @type {any} */ { field, node }) => labelled(label(field.name), node, hint(field.name))),
      labelled(t("lines.ours"), ours, t("lines.ours_hint")),
      hasSchemes && labelled(t("lines.schemes"), schemes, t("lines.schemes_hint")),
    ],
    read: () => ({
      credentials: Object.fromEntries(
        credentials
          .filter((/** @type {any} */ one) => one.node.value)
          .map((/** @type {any} */ one) => [one.field.name, one.node.value.trim()]),
      ),
      our_lines: ours.value.split(/[\s,;]+/).filter(Boolean),
      ...(hasSchemes ? { schemes: asMap(schemes.value) } : {}),
    }),
  };
}

/**
 * A secret that is set stays when its field is left empty; it never comes back from the backend.
 * @param {{name: string, is_secret: boolean, is_required: boolean}} field
 * @param {{value: string | null | undefined, isNew: boolean, t: import("../text.js").Texts}} options
 */
function credential({ name, is_secret: isSecret, is_required: isRequired }, { value, isNew, t }) {
  return input({
    type: isSecret ? "password" : "text",
    autocomplete: isSecret ? "new-password" : "off",
    value: value || "",
    placeholder: isSecret && !isNew ? t("lines.kept") : "",
    required: isRequired && (isNew || !isSecret),
    "data-kmt": `credential-${name}`,
  });
}

/** @param {Record<string, string>} schemes */
const asText = (schemes) =>
  Object.entries(schemes)
    .map(([id, name]) => `${id} = ${name}`)
    .join("\n");

/**
 * `id = name` per line; a line without a name is named by its id.
 * @param {string} text
 */
function asMap(text) {
  const rows = text.split("\n").map((row) => row.split("=").map((part) => part.trim()));
  return Object.fromEntries(rows.filter(([id]) => id).map(([id, name]) => [id, name || id]));
}
