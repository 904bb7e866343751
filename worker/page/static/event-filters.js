// The filters of the stream, one field each; their state is the address's.

import { h } from "./element.js";
import { input, select } from "./parts.js";
import { spelled } from "./text.js";

const FILTERS = ["label", "tier", "score", "language", "topic", "partition"];

/** Only what filters, of a query. */
export const filtersOf = (query) => Object.fromEntries(FILTERS.filter((name) => query[name]).map((name) => [name, query[name]]));

/** `toxic:0.5:0.9` as its parts; a label may hold colons itself. */
function scoreParts(text) {
  const parts = (text ?? "").split(":");
  return parts.length < 3 ? { label: "", min: "", max: "" } : { label: parts.slice(0, -2).join(":"), min: parts.at(-2), max: parts.at(-1) };
}

/** The fields; `changed(query)` is called with the new filters. */
export function filterFields(page, query, changed) {
  const now = filtersOf(query);
  const change = (part) => changed({ ...now, ...part });
  const band = scoreParts(now.score);
  const labels = (page.labels ?? []).map((label) => [label, spelled(label)]);
  const topics = [page.input].flat().map((topic) => [topic, topic]);
  const number = Object.keys(now).length;
  const changeBand = (part) => {
    const next = { ...band, ...part };
    change({ score: next.label ? `${next.label}:${next.min || "0"}:${next.max || "1"}` : "" });
  };
  return h("details", { class: "filters", open: number > 0 || matchMedia("(min-width: 60rem)").matches },
    h("summary", {}, number === 0 ? "Filters" : `Filters (${number} set)`),
    h("form", { class: "fields", "aria-label": "Filters", on: { submit: (event) => event.preventDefault() } },
      select("Label", [["", "any"], ...labels], now.label ?? "", (label) => change({ label })),
      select("Tier", [["", "any"], ["act", "act"], ["review", "review"], ["none", "none"]], now.tier ?? "", (tier) => change({ tier })),
      select("Score of", [["", "any label"], ...labels], band.label, (label) => changeBand({ label })),
      input("from", { type: "number", min: 0, max: 1, step: 0.01, value: band.min, disabled: !band.label, inputmode: "decimal" }, (min) => changeBand({ min })),
      input("to", { type: "number", min: 0, max: 1, step: 0.01, value: band.max, disabled: !band.label, inputmode: "decimal" }, (max) => changeBand({ max })),
      input("Language", { type: "text", value: now.language ?? "", placeholder: "any, as en", maxlength: 8, size: 8, autocapitalize: "off", spellcheck: "false" }, (language) => change({ language })),
      topics.length > 1 || now.topic ? select("Topic", [["", "all"], ...topics], now.topic ?? "", (topic) => change({ topic })) : null,
      input("Partition", { type: "number", min: 0, step: 1, value: now.partition ?? "", placeholder: "all", inputmode: "numeric" }, (partition) => change({ partition })),
      number === 0 ? null : h("button", { type: "button", on: { click: () => changed({}) } }, "Clear filters")));
}
