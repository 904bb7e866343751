// Shadow: a second model beside the one that decides, and where the two disagree.

import { get } from "../api.js";
import { distribution } from "../charts.js";
import { fill, h } from "../element.js";
import { count, counted, percent, score, sentence, shortDigest } from "../format.js";
import { open } from "../live.js";
import { known, notice, panel, skeleton, table } from "../parts.js";
import { plain, spelled } from "../text.js";

const EVERY_MS = 10_000;

export const title = "Shadow";

/** The view. */
export function show() {
  open({ events: 0 });
  const element = h("div", { class: "stack" }, skeleton(6));
  let timer = null;
  let state = "";

  async function look() {
    try {
      const shadow = await get("api/shadow");
      const next = JSON.stringify(shadow);
      if (next !== state) fill(element, shadow.on ? on(shadow) : off(shadow));
      state = next;
    } catch (error) {
      state = "";
      fill(element, notice("bad", "The comparison cannot be shown.", error.message));
    }
    if (timer !== null) timer = setTimeout(look, EVERY_MS);
  }

  timer = setTimeout(look);
  return { element, stop() { clearTimeout(timer); timer = null; } };
}

const off = (shadow) => notice("plain", "No candidate is being compared.",
  sentence(shadow.why_not) || "A worker can score with a second model beside the one that decides, and count where they disagree.");

function on(shadow) {
  const { candidate } = shadow;
  const words = candidate && !candidate.unknown ? [candidate.id, candidate.revision, candidate.precision, candidate.digest && shortDigest(candidate.digest)].filter(Boolean).join(", ") : null;
  const disagreements = table("Labels on which the two models disagree", [
    { name: "Label", cell: (row) => plain(row.label) },
    { name: "Compared", number: true, cell: (row) => known(row.compared, count) },
    { name: "Flagged by the present model only", number: true, cell: (row) => [share(row.incumbent_only, row.compared), acted(row.act?.incumbent_only)].flat() },
    { name: "By the candidate only", number: true, cell: (row) => [share(row.candidate_only, row.compared), acted(row.act?.candidate_only)].flat() },
    { name: "How far apart", cell: (row) => apart(row) },
  ], { hiddenCaption: true });
  disagreements.show(shadow.labels ?? [], (row) => row.label);
  const examples = table("Comments on which the two models disagree", [
    { name: "Comment", cell: (row) => h("bdi", {}, String(row.comment_id ?? row.id)) },
    { name: "Label", cell: (row) => plain(row.label) },
    { name: "Present model", number: true, cell: (row) => [known(row.incumbent, score), tier(row.incumbent_tier)] },
    { name: "Candidate", number: true, cell: (row) => [known(row.candidate, score), tier(row.candidate_tier)] },
  ], { hiddenCaption: true });
  const some = shadow.examples ?? [];
  examples.show(some, (row) => `${row.id}/${row.label}`);
  return [
    words && h("p", {}, "Candidate: ", words, missed(shadow.missed)),
    panel("Disagreements", (shadow.labels ?? []).length > 0 ? disagreements.element : h("p", { class: "quiet" }, "Nothing has been compared yet.")),
    panel("Examples", some.length > 0 ? examples.element : h("p", { class: "quiet" }, sentence(shadow.why_no_examples) || "No example yet: they come as the two disagree.")),
  ];
}

const share = (part, whole) => known(part, (number) => (whole > 0 ? [count(number), h("span", { class: "quiet" }, ` ${percent(number / whole)}`)] : count(number)));

function missed(reasons) {
  const given = Object.entries(reasons ?? {}).filter(([, number]) => number > 0);
  return given.length === 0 ? "" : `. Sampled and not compared: ${given.map(([reason, number]) => `${count(number)} ${reason}`).join(", ")}.`;
}

/** How many of them are flagged to be acted on, where that is told apart. */
const acted = (number) => (typeof number === "number" && number > 0 ? [h("br"), h("span", { class: "quiet" }, `to act on: ${count(number)}`)] : []);

/** What a score comes to by its own model's thresholds, which may be what differs. */
const tier = (name) => h("span", { class: "quiet" }, ` ${name === "none" ? "not flagged" : name}`);

const STEPS = 19; // from -1 to 1, finer near 0: the edges of the metric sluice_shadow_score_difference

function apart(row) {
  const bins = (row.differences ?? []).slice(0, STEPS);
  if (bins.every((bin) => bin === 0)) return h("span", { class: "quiet" }, "nothing yet");
  const far = bins.filter((_, index) => index < 6 || index > 12).reduce((sum, bin) => sum + bin, 0);
  return distribution(`Candidate's score minus the present model's, for ${spelled(row.label)}: ${counted(far, "comment")} more than 0.1 apart`, bins, ["\u22121", "0", "+1"]);
}
