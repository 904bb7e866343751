// One whole event: its text with what carries the labels, its scores beside their thresholds, where it is from.

import { get, keyPath } from "./api.js";
import { scoreBar } from "./charts.js";
import { fill, h } from "./element.js";
import { eventName } from "./event-list.js";
import { counted, duration, moment, percent, place, score, shortDigest } from "./format.js";
import { copyButton, limitsInWords, notice, skeleton, tierBadge } from "./parts.js";
import { marked, plain } from "./text.js";
import { isAskedFor, reveal, textOf } from "./texts.js";

const LONG_JSON = 200_000;

/**
 * Opens the dialog. `around` has `previous` and `next` (an address or null each); `closed` is called when the reader
 * closes it.
 */
export function eventDialog(key, page, around, closed) {
  const body = h("div", { class: "dialog-body" }, skeleton(6));
  const title = h("h2", { id: "event-title", tabindex: -1 }, "Event");
  const step = (words, where) => (where ? h("a", { class: "button", href: where, rel: words === "Next" ? "next" : "prev" }, words) : null);
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "event-title" },
    h("header", { class: "dialog-head" }, title,
      h("div", { class: "buttons" }, step("Previous", around.previous), step("Next", around.next),
        h("button", { type: "button", on: { click: () => dialog.close() } }, "Close"))),
    body);
  let gone = false;
  dialog.addEventListener("close", () => { dialog.remove(); if (!gone) closed(); });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  title.focus();
  load(key, page, title, body, isAskedFor(key));
  return { remove() { gone = true; dialog.close(); } };
}

async function load(key, page, title, body, withText) {
  let answer;
  try {
    answer = await get(`api/events/${keyPath(key)}`, withText ? { text: "1" } : {});
  } catch (error) {
    fill(body, notice("bad", "This event cannot be shown.", error.message));
    return;
  }
  if (withText && answer.text !== null) reveal(key, answer.text);
  const summary = answer.summary;
  title.replaceChildren(summary.problem ? "Record " : "Comment ", h("bdi", {}, plain(eventName(summary))));
  fill(body,
    summary.problem ? notice("warn", "Not read as a label event.", summary.problem) : verdict(summary),
    summary.problem && answer.text === null ? null : textPart(answer, page, () => load(key, page, title, body, true)),
    scores(answer), facts(answer, key), headers(answer.headers ?? []), whole(answer.event));
}

const verdict = (summary) =>
  h("p", {}, tierBadge(summary.tier), " ", summary.labels?.length ? plain(summary.labels.join(", ")) : "no label reached its threshold");

function textPart(answer, page, ask) {
  const { summary } = answer;
  const text = answer.text ?? textOf(summary);
  const heading = h("h3", {}, "Text");
  if (text === null) {
    if (!summary.has_text) {
      const why = page.text === "hash" || page.text === "omit" ? `The worker publishes events without it: output.text is ${page.text}.` : "It is not in the event.";
      return h("section", {}, heading, h("p", { class: "quiet" }, why));
    }
    return h("section", {}, heading, h("p", {}, h("button", { type: "button", class: "veil veil-tall", on: { click: ask } }, h("span", {}, "Show text"))));
  }
  const spans = answer.spans ?? [];
  const labels = [...new Set(spans.map((span) => span.label))];
  const place = h("div", {}, marked(text, spans));
  const choice = labels.length < 2 ? null : h("div", { class: "segments", role: "group", "aria-label": "Mark the words that carry" },
    ["all labels", ...labels].map((label) => h("button", {
      type: "button", "aria-pressed": String(label === "all labels"),
      on: { click: (event) => {
        for (const button of event.currentTarget.parentElement.children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
        fill(place, marked(text, label === "all labels" ? spans : spans.filter((span) => span.label === label)));
      } },
    }, plain(label))));
  return h("section", {}, heading, choice, place,
    spans.length > 0 ? h("p", { class: "quiet" }, "Marked: the words that carry ", plain(labels.join(", ")), ". ", shares(text, spans)) : null);
}

function shares(text, spans) {
  const strongest = [...spans].sort((left, right) => right.share - left.share).slice(0, 3);
  return h("span", {}, "Strongest: ", strongest.map((span, index) => [
    index > 0 ? ", " : "", h("bdi", {}, "“", plain(text.slice(span.utf16_begin, span.utf16_end).slice(0, 40)), "”"), ` ${percent(span.share)} of `, plain(span.label),
  ]), ".");
}

function scores(answer) {
  const rows = answer.scores ?? [];
  if (rows.length === 0) return null;
  return h("section", {},
    h("h3", {}, "Scores"),
    h("table", { class: "scores", role: "table" },
      h("caption", { class: "unseen" }, "Score of each label and its thresholds"),
      h("thead", { class: "unseen", role: "rowgroup" }, h("tr", { role: "row" }, ["Label", "Score", "Bar", "Thresholds"].map((name) => h("th", { role: "columnheader", scope: "col" }, name)))),
      h("tbody", { role: "rowgroup" }, rows.map((row) => h("tr", { role: "row" },
        h("th", { role: "rowheader", scope: "row" }, plain(row.label)), h("td", { role: "cell", class: "number" }, score(row.score)),
        h("td", { role: "cell", class: "score-cell" }, scoreBar(row.score, row)), h("td", { role: "cell", class: "quiet" }, limitsInWords(row)))))));
}

function facts(answer, key) {
  const event = answer.event ?? {};
  const { source, language } = answer.summary;
  const line = (name, value) => (value === null || value === undefined || value === "" ? null : h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  const delay = event.processed_at && event.source?.timestamp ? (new Date(event.processed_at) - new Date(event.source.timestamp)) / 1000 : null;
  return h("section", {}, h("h3", {}, "Where it is from"), h("dl", { class: "facts" },
    line("Comment record", source ? [place(source), " ", copyButton("Copy", place(source))] : null),
    line("Event record", [key, " ", copyButton("Copy", key)]),
    line("Written", event.source?.timestamp ? moment(event.source.timestamp) : "the record has no timestamp"),
    line("Labelled", event.processed_at ? moment(event.processed_at) : null),
    line("Time between", delay !== null && delay >= 0 ? duration(delay) : null),
    line("Language", language?.detected ? `${language.detected}, ${language.reliable ? "certain" : "not certain"}${language.supported === false ? "; the model does not know it" : ""}` : "not detected"),
    line("Length", event.text?.tokens ? `${counted(event.text.tokens, "token")} in ${counted(event.text.windows, "window")}${event.text.truncated ? ", cut off" : ""}` : null),
    line("Read a second time", event.view?.scored ? `after undoing ${event.view.transforms.join(", ")}` : null),
    line("Model", event.model ? `${event.model.id}${event.model.revision ? ` ${event.model.revision}` : ""}, ${event.model.precision}, ${shortDigest(event.model.digest)}` : null),
    line("Threshold set", event.thresholds?.set), line("Event id", event.id)));
}

function headers(list) {
  if (list.length === 0) return null;
  return h("details", {}, h("summary", {}, counted(list.length, "header")),
    h("dl", { class: "facts" }, list.map(({ name, value }) => h("div", {}, h("dt", {}, name), h("dd", { class: "bytes" }, value === null ? "null" : String(value))))));
}

function whole(event) {
  if (!event) return null;
  const place = h("pre", { tabindex: 0, "aria-label": "The event as published" });
  const details = h("details", {}, h("summary", {}, "Whole event, as published"), place);
  details.addEventListener("toggle", () => {
    if (!details.open || place.textContent !== "") return;
    const text = JSON.stringify(event, null, 2);
    const more = text.length > LONG_JSON ? `\n… ${counted(text.length - LONG_JSON, "character")} more` : "";
    fill(place, plain(text.slice(0, LONG_JSON)), more);
  });
  return details;
}
