// Whether texts are shown: asked for in this tab, for as long as it is open, and never by a link somebody sent.

let shown = false;
const revealed = new Map(); // texts that were asked for one by one

const REMEMBERED = 500;

export const textsShown = () => shown;

/** Shows or hides all texts; hiding also hides those shown one by one. */
export function showTexts(on) {
  shown = on;
  if (!on) revealed.clear();
}

/** Remembers that one event's text was asked for. */
export function reveal(key, text) {
  revealed.set(key, text);
  if (revealed.size > REMEMBERED) revealed.delete(revealed.keys().next().value);
}

/** The text of a summary, where the reader asked for it and it is there; null otherwise. */
export const textOf = (summary) => (shown ? (summary.text ?? revealed.get(summary.key) ?? null) : (revealed.get(summary.key) ?? null));

/** Whether the text of one event was asked for, by itself or with all. */
export const isAskedFor = (key) => shown || revealed.has(key);

/** For a request: whether texts may come. */
export const textQuery = () => (shown ? { text: "1" } : {});
