// What a screen reader says without being asked: rarely, politely, and only what a person waits for.

import { setText } from "./element.js";

/** Says a sentence. */
export function announce(sentence) {
  const place = document.getElementById("announcements");
  setText(place, "");
  setTimeout(() => setText(place, sentence), 50);
}
