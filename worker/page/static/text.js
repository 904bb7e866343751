// A comment's text on the page: text alone, what is invisible in it made visible, its spans marked.

import { h } from "./element.js";

const LONG = 20_000; // UTF-16 code units that are shown at once; a text of a megabyte must not stop the page

// Controls, invisible, private and direction-changing characters, and halves of surrogate pairs: shown as their numbers, for a
// reader who cannot see them is the one they are written to deceive.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}\u{f0000}-\u{10ffff}]/gu;

const name = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

const SEGMENT_BREAKS = (spans, length) =>
  [...new Set([0, length, ...spans.flatMap((span) => [span.utf16_begin, span.utf16_end])])]
    .filter((place) => place >= 0 && place <= length).sort((left, right) => left - right);

/** A text as nodes, without spans: for a line of a list. */
export const plain = (text) => pieces(text);

/** The same as a string, for titles, options and what a screen reader says. */
export const spelled = (text) => text.replace(HIDDEN, name);

/**
 * A text with its spans marked, in UTF-16 code units as JavaScript counts. Spans: [{label, utf16_begin, utf16_end, share}].
 * Of a very long text the part around the first span is shown, and a button shows the rest.
 */
export function marked(text, spans) {
  const first = spans.length === 0 ? 0 : Math.min(...spans.map((span) => span.utf16_begin));
  const begin = text.length <= LONG ? 0 : whole(text, Math.max(0, Math.min(first - LONG / 4, text.length - LONG)));
  const end = text.length <= LONG ? text.length : whole(text, begin + LONG);
  const place = h("div", { class: "comment-text", dir: "auto" });
  const show = (from, to) => place.replaceChildren(
    ...(from > 0 ? [cut(from, "before this", () => show(0, text.length))] : []),
    ...segments(text, spans, from, to),
    ...(to < text.length ? [cut(text.length - to, "after this", () => show(0, text.length))] : []));
  show(begin, end);
  return place;
}

function segments(text, spans, from, to) {
  const breaks = SEGMENT_BREAKS(spans, text.length);
  const nodes = [];
  for (let index = 0; index + 1 < breaks.length; index += 1) {
    const begin = Math.max(from, breaks[index]);
    const end = Math.min(to, breaks[index + 1]);
    if (begin >= end) continue;
    const over = spans.filter((span) => span.utf16_begin <= begin && span.utf16_end >= end);
    const inside = pieces(text.slice(begin, end));
    nodes.push(...(over.length === 0 ? inside : [h("mark", { title: [...new Set(over.map((span) => spelled(span.label)))].join(", ") }, inside)]));
  }
  return nodes;
}

function pieces(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > done) nodes.push(text.slice(done, match.index));
    nodes.push(h("span", { class: "control", dir: "ltr" }, name(match[0])));
    done = match.index + match[0].length;
  }
  if (done < text.length || nodes.length === 0) nodes.push(text.slice(done));
  return nodes;
}

/** The nearest place at or before `index` that is not inside a surrogate pair. */
const whole = (text, index) => {
  const rounded = Math.floor(index);
  return /[\udc00-\udfff]/.test(text[rounded] ?? "") ? rounded - 1 : rounded;
};

const cut = (length, where, all) =>
  h("button", { type: "button", class: "small", on: { click: all } }, `${length.toLocaleString("en-GB")} characters ${where}: show all`);
