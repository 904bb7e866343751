// Small drawings. Each says in words what it shows, for those who do not see it.

import { fill, h, setAttribute, setText, svg } from "./element.js";
import { clock, count, counted, minute, score } from "./format.js";
import { spelled } from "./text.js";

const WIDTH = 1000; // drawn in these units and stretched to the place there is
const HEIGHT = 100;
const STEP_MS = 10_000;
const STEPS = 90; // a quarter of an hour, also where less of it is known

/** Comments in steps of time, the flagged ones at the foot of each bar. `update(history)` draws it again. */
export function historyChart() {
  const top = h("span", { class: "axis-top" });
  const readout = h("span", { class: "readout" });
  const drawing = svg("svg", { role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
  const axis = h("div", { class: "axis", "aria-hidden": "true" });
  const figure = h("figure", { class: "chart" },
    h("figcaption", {},
      h("span", { class: "key" }, "Comments"), h("span", { class: "key key-flagged" }, "of them flagged"), readout),
    h("div", { class: "plot plot-tall" }, top, drawing), axis);
  let steps = [];
  let drawn = "";
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const slot = Math.min(STEPS - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * STEPS)));
    const step = steps.find((one) => one.slot === slot);
    setText(readout, step ? `${clock(step.at)}: ${counted(step.comments, "comment")}, ${count(step.flagged)} flagged` : "");
  });
  drawing.addEventListener("pointerleave", () => setText(readout, ""));
  return {
    figure,
    update(history) {
      const state = JSON.stringify(history);
      if (state === drawn) return;
      drawn = state;
      const end = new Date(history.at(-1).at).getTime();
      steps = history.map((step) => ({ ...step, slot: STEPS - 1 - Math.round((end - new Date(step.at)) / STEP_MS) })).filter((step) => step.slot >= 0);
      const most = Math.max(1, ...steps.map((step) => step.comments));
      const wide = WIDTH / STEPS;
      const bars = steps.map((step) => [
        bar("bar-all", step.slot * wide, wide, step.comments / most),
        bar("bar-flagged", step.slot * wide, wide, step.flagged / most),
      ]);
      fill(drawing, ...bars);
      setText(top, `${counted(most, "comment")} in ${STEP_MS / 1000} s`);
      fill(axis, ...[1, 2 / 3, 1 / 3, 0].map((part) => h("span", {}, minute(end - part * STEPS * STEP_MS))));
      const all = steps.reduce((sum, step) => sum + step.comments, 0);
      const flagged = steps.reduce((sum, step) => sum + step.flagged, 0);
      const span = ` from ${clock(steps[0].at)} to ${clock(steps.at(-1).at)}`;
      setAttribute(drawing, "aria-label", `${counted(all, "comment")}${span}, ${count(flagged)} of them flagged; at most ${top.textContent}.`);
    },
  };
}

function bar(kind, left, wide, part) {
  const high = part <= 0 ? 0 : Math.max(1, part * HEIGHT);
  return svg("rect", { class: kind, x: left + wide * 0.08, y: HEIGHT - high, width: wide * 0.84, height: high });
}

/**
 * Scores of one label in equal bins over 0 to 1, counted on a logarithmic scale: most comments are harmless, and on a
 * linear one nothing else could be seen. `lines`: [{at, kind, name}].
 */
export function histogram(label, bins, lines) {
  const most = Math.max(1, ...bins);
  const wide = WIDTH / bins.length;
  const review = lines.find((line) => line.kind === "review")?.at ?? null;
  const act = lines.find((line) => line.kind === "act")?.at ?? null;
  const tierAt = (value) => (act !== null && value >= act ? "act" : review !== null && value >= review ? "review" : "none");
  const all = bins.reduce((sum, bin) => sum + bin, 0);
  const words = lines.filter((line) => line.at !== null).map((line) => `${line.name} at ${score(line.at)}`).join(", ");
  const from = (part) => bins.slice(Math.round(part * bins.length)).reduce((sum, bin) => sum + bin, 0);
  return h("figure", { class: "chart" },
    h("div", { class: "plot" },
      h("span", { class: "axis-top" }, `${counted(most, "comment")} (log scale)`),
      svg("svg", {
        role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none",
        "aria-label": `Scores of ${spelled(label)}: ${counted(all, "comment")}, ${count(from(0.5))} of them at 0.50 or more, ${count(from(0.9))} at 0.90 or more. ${words}`,
      },
      bins.map((bin, index) =>
        bar(`bar-tier-${tierAt((index + 0.5) / bins.length)}`, index * wide, wide, Math.log1p(bin) / Math.log1p(most))),
      lines.filter((line) => line.at !== null).map((line) =>
        svg("line", { class: `line line-${line.kind}`, x1: line.at * WIDTH, x2: line.at * WIDTH, y1: 0, y2: HEIGHT })))),
    h("div", { class: "axis", "aria-hidden": "true" }, ["0", "0.25", "0.5", "0.75", "1"].map((text) => h("span", {}, text))));
}

/** Counts over bins from `from` to `to`, on a logarithmic scale. */
export function distribution(description, bins, [from, middle, to]) {
  const most = Math.max(1, ...bins);
  const wide = WIDTH / Math.max(1, bins.length);
  return h("figure", { class: "chart" },
    h("div", { class: "plot plot-small" },
      svg("svg", { role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-label": description },
        bins.map((bin, index) => bar("bar-all", index * wide, wide, Math.log1p(bin) / Math.log1p(most))))),
    h("div", { class: "axis", "aria-hidden": "true" }, [from, middle, to].map((text) => h("span", {}, text))));
}

/** One score as a bar with its thresholds as ticks; in words beside it, so it is hidden from screen readers. */
export function scoreBar(value, { review = null, act = null } = {}) {
  const tier = act !== null && value >= act ? "act" : review !== null && value >= review ? "review" : "none";
  return h("span", { class: "score-bar", "aria-hidden": "true" },
    sized(h("span", { class: `score-fill tier-${tier}` }), "width", value),
    review !== null && sized(h("span", { class: "tick tick-review" }), "left", review),
    act !== null && sized(h("span", { class: "tick tick-act" }), "left", act));
}

/** A part of a whole as a bar: how far behind beside how far behind the worst. */
export function partBar() {
  const inside = h("span", { class: "part-fill" });
  const element = h("span", { class: "part-bar", "aria-hidden": "true" }, inside);
  return { element, update: (part) => sized(inside, "width", part) };
}

function sized(element, property, part) {
  element.style.setProperty(property, `${Math.min(1, Math.max(0, part)) * 100}%`);
  return element;
}
