// Pieces that several views show: figures, badges, tables, notices, skeletons.

import { h, keep, setText } from "./element.js";
import { score, whyUnknown } from "./format.js";
import { plain } from "./text.js";

const SHORT = 50; // characters of a reason that a cell has room for
const TIERS = { act: "Act", review: "Review", none: "None" };

/** The tier of an event: a word and a shape, so that no colour is needed. */
export function tierBadge(tier) {
  const known = tier in TIERS ? tier : "none";
  return h("span", { class: `badge badge-${known}` }, tier === null || tier === undefined ? "No tier" : TIERS[known]);
}

/** One label with its score. */
export const labelChip = (label, value, tier) =>
  h("span", { class: `chip chip-${tier ?? "none"}` }, plain(label), " ", h("span", { class: "number" }, score(value)));

/** What a value's two thresholds are, in words. */
export const limitsInWords = ({ review, act }) =>
  [review === null ? "never reviewed" : `review from ${score(review)}`, act === null ? "never acted on" : `act from ${score(act)}`].join(", ");

/** A panel with a heading, as a region of its own. */
export function panel(title, ...children) {
  const id = `panel-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return h("section", { class: "panel", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/** One figure with its name and unit. `show(value, format)` shows it, or why it is not known. */
export function figure(name, explanation) {
  const value = h("span", { class: "figure-value" }, h("span", { class: "skeleton skeleton-figure" }));
  const unit = h("span", { class: "figure-unit" });
  const note = h("span", { class: "figure-note" }, explanation);
  const element = h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, h("span", {}, value, " ", unit), note));
  return {
    element,
    show(given, format, unitText = "", noteText = explanation, reasonShown = false) {
      const why = whyUnknown(given);
      element.classList.toggle("is-unknown", why !== null);
      setText(value, why === null ? format(given) : "not known");
      setText(unit, why === null ? unitText : "");
      setText(note, why === null ? noteText : reasonShown ? "for the reason above" : why);
    },
  };
}

/**
 * A table with a caption and a heading a column. Columns: {name, number?, cell(item) -> children}. On a narrow screen each row
 * becomes a card whose cells name their column; the roles are written out, for a browser forgets those of tables that are
 * laid out otherwise.
 */
export function table(caption, columns, { hiddenCaption = false } = {}) {
  const body = h("tbody", { role: "rowgroup" });
  const element = h("div", { class: "table-frame" },
    h("table", { role: "table" },
      h("caption", { class: hiddenCaption ? "unseen" : "" }, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
        columns.map((column) => h("th", { role: "columnheader", scope: "col", class: column.number ? "number" : "" }, column.name)))),
      body));
  const make = () => h("tr", { role: "row" }, columns.map((column, index) =>
    h(index === 0 ? "th" : "td", { role: index === 0 ? "rowheader" : "cell", scope: index === 0 ? "row" : null, class: column.number ? "number" : "", data: { column: column.name } })));
  const update = (row, item) => {
    const state = JSON.stringify(item);
    if (row.shownItem === state) return;
    row.shownItem = state;
    columns.forEach((column, index) => row.children[index].replaceChildren(...[column.cell(item)].flat()));
  };
  return { element, show: (items, keyOf) => keep(body, items, keyOf, make, update) };
}

/** A cell of a value that may not be known: a short reason is shown, a long one read out and shown on pointing. */
export const known = (value, format) => {
  const why = whyUnknown(value);
  if (why === null) return format(value);
  if (why.length <= SHORT) return h("span", { class: "quiet" }, why);
  return h("span", { class: "quiet", title: why }, "not known", h("span", { class: "unseen" }, `: ${why}`));
};

/** A sentence whose `commands` are set as such. */
export const prose = (sentence) => String(sentence).split("`").map((part, index) => (index % 2 === 1 ? h("code", {}, part) : part));

/** A notice: what is the matter, and what to do. Kinds: plain, warn, bad, good. */
export const notice = (kind, title, text, ...more) =>
  h("div", { class: `notice notice-${kind}` }, h("strong", {}, title), text ? h("span", {}, " ", prose(text)) : null, ...more);

/** Lines where content is to come; a screen reader is told once. */
export const skeleton = (lines = 3) =>
  h("div", { class: "skeletons" }, h("span", { class: "unseen" }, "Loading"), Array.from({ length: lines }, () => h("span", { class: "skeleton", "aria-hidden": "true" })));

/** One of several, as buttons: {value: words}. `chosen(value)` is called with each choice. */
export function segments(name, choices, value, chosen) {
  const buttons = Object.entries(choices).map(([key, words]) =>
    h("button", { type: "button", "aria-pressed": String(key === value), on: { click: () => chosen(key) } }, words));
  return h("div", { class: "segments", role: "group", "aria-label": name }, buttons);
}

/** A select with its name above it. */
export function select(name, choices, value, changed) {
  const options = choices.map(([key, words]) => h("option", { value: key, selected: key === value }, words));
  return field(name, h("select", { on: { change: (event) => changed(event.target.value) } }, options));
}

/** A text or number field with its name above it; `changed` is called when the reader has finished, or with `input` at once. */
export function input(name, attributes, changed, when = "change") {
  return field(name, h("input", { ...attributes, on: { [when]: (event) => changed(event.target.value.trim()) } }));
}

let fields = 0;

function field(name, control) {
  fields += 1;
  control.id = `field-${fields}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, name), control);
}

/** Copies a text, and says on the button that it did. */
export function copyButton(words, text) {
  const button = h("button", { type: "button", class: "small" }, words);
  button.addEventListener("click", async () => {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    setText(button, done ? "Copied" : "Not allowed");
    setTimeout(() => setText(button, words), 2000);
  });
  return button;
}
