// Label events as a list, newest first: when, how it was labelled, what it says if asked, where it is from.

import { get, keyPath } from "./api.js";
import { fill, h, keep } from "./element.js";
import { clock, moment, place } from "./format.js";
import { labelChip, tierBadge } from "./parts.js";
import { plain } from "./text.js";
import { reveal, textOf } from "./texts.js";

const PREVIEW = 400; // UTF-16 code units of a text in a line of the list
const NO_TEXT = {
  hash: "Text not in the event: output.text is hash",
  omit: "Text not in the event: output.text is omit",
};

/** A list of summaries. `address(summary)` is where a click leads; `side(summary)` is said beside its tier, or null. */
export function eventList(name, page, address, side = () => null) {
  const element = h("ol", { class: "events", "aria-label": name, on: { keydown: move } });
  return {
    element,
    show: (summaries) => keep(element, summaries, (summary) => summary.key,
      () => h("li", { class: "event" }), (row, summary) => update(row, summary, page, address, side)),
  };
}

function update(row, summary, page, address, side) {
  const text = textOf(summary);
  const state = JSON.stringify([summary, text, address(summary)]);
  if (row.shownState === state) return;
  row.shownState = state;
  const focused = row.contains(document.activeElement);
  row.className = `event event-${summary.problem ? "problem" : (summary.tier ?? "none")}`;
  fill(row,
    h("div", { class: "event-when" }, h("time", { datetime: summary.at, title: summary.at ? moment(summary.at) : null }, summary.at ? clock(summary.at) : "no time")),
    h("div", { class: "event-tier" }, summary.problem ? h("span", { class: "badge badge-problem" }, "Not read") : tierBadge(summary.tier), side(summary)),
    h("div", { class: "event-body" }, summary.problem ? h("p", {}, summary.problem) : [textLine(row, summary, text, page, address, side), labels(summary)]),
    h("div", { class: "event-meta" },
      h("a", { class: "event-open", href: address(summary) }, h("bdi", {}, plain(eventName(summary)))),
      h("span", { title: "Topic, partition and offset of the comment" }, summary.source ? place(summary.source) : summary.key, language(summary))));
  if (focused) row.querySelector("a")?.focus({ preventScroll: true });
}

/** The comment's id, or where the record is that has none. */
export const eventName = (summary) => String(summary.comment_id || summary.id || summary.key);

function textLine(row, summary, text, page, address, side) {
  if (text !== null) {
    const short = text.length > PREVIEW ? text.slice(0, PREVIEW) : text;
    return h("p", { class: "event-text", dir: "auto" }, plain(short), text.length > PREVIEW ? " …" : "");
  }
  if (!summary.has_text) return h("p", { class: "event-text quiet" }, NO_TEXT[page.text] ?? "Text not in the event");
  const button = h("button", { type: "button", class: "veil", "aria-label": `Show the text of ${eventName(summary)}` }, h("span", {}, "Show text"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await get(`api/events/${keyPath(summary.key)}`, { text: "1" });
      reveal(summary.key, answer.text ?? "");
      update(row, summary, page, address, side);
    } catch (error) {
      fill(button, h("span", {}, error.message));
    }
  });
  return h("p", { class: "event-text" }, button);
}

function labels(summary) {
  const chips = (summary.labels ?? []).map((label) => labelChip(label, summary.scores?.[label] ?? 0, summary.tiers?.[label]));
  if (chips.length > 0) return h("p", { class: "chips" }, chips);
  return summary.top
    ? h("p", { class: "chips quiet" }, "highest: ", labelChip(summary.top.label, summary.top.score, "none"))
    : h("p", { class: "chips quiet" }, "no scores");
}

function language(summary) {
  const found = summary.language;
  if (!found?.detected) return null;
  return ` · ${found.detected}${found.supported === false ? " (not the model's)" : found.reliable ? "" : " (perhaps)"}`;
}

/** Up and down go from event to event while one has the focus. */
function move(event) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const row = event.target.closest("li.event");
  const next = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
  if (!next) return;
  event.preventDefault();
  next.querySelector("a")?.focus();
}
