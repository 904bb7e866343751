// What another threshold of one label would do to the events that came: the shares now and then, and who changes side.

import { get } from "./api.js";
import { histogram } from "./charts.js";
import { fill, h, setText } from "./element.js";
import { eventList } from "./event-list.js";
import { count, counted, percent, points, whyUnknown } from "./format.js";
import { notice, panel, skeleton } from "./parts.js";
import { link } from "./router.js";
import { spelled } from "./text.js";
import { textQuery } from "./texts.js";

const AFTER_MS = 250; // a slider that is still moving asks nothing
const SIDES = { "+review": "now reviewed", "-review": "no longer reviewed", "+act": "now acted on", "-act": "no longer acted on" };

/**
 * The panel of one label. `tried` are the limits to begin with, or undefined for those in force; `changed(limits)` is called
 * with what is tried, null when it is what is in force.
 */
export function whatIf(label, span, tried, page, changed) {
  const name = spelled(label.label);
  let limits = tried ?? { review: label.review, act: label.act };
  let timer = null;
  let asking = null;
  const shares = h("div", { class: "stack", role: "status" }, skeleton(2));
  const changes = h("div");
  const controls = h("div", { class: "sliders" }, ["review", "act"].map(control));
  const reset = h("button", { type: "button", class: "small", on: { click: () => set({ review: label.review, act: label.act }) } }, "Back to what is in force");
  const drawing = h("div");
  const element = panel(`What if: ${name}`, drawing, controls, h("p", {}, reset), shares, changes);
  const list = eventList(`Comments that change side on ${name}`, page, (summary) => link("stream", { event: summary.key }),
    (summary) => h("span", { class: `side side-${summary.side[0] === "+" ? "in" : "out"}` }, SIDES[summary.side] ?? summary.side));

  function control(tier) {
    const words = tier === "review" ? "Review from" : "Act from";
    const attributes = { min: 0, max: 1, step: 0.01, value: limits[tier] ?? 1, disabled: limits[tier] === null };
    const slider = h("input", { type: "range", ...attributes, "aria-label": `${words}, ${name}`, on: { input: (event) => move(tier, event.target.value) } });
    const field = h("input", { type: "number", ...attributes, "aria-label": `${words}, ${name}, exactly`, on: { change: (event) => move(tier, event.target.value) } });
    const never = h("input", { type: "checkbox", checked: limits[tier] === null, on: { change: (event) => set({ ...limits, [tier]: event.target.checked ? null : (label[tier] ?? 0.9) }) } });
    return h("fieldset", { class: `slider slider-${tier}`, data: { tier } }, h("legend", {}, words), slider, field, h("label", { class: "check-field" }, never, " never"));
  }

  // The tier that is acted on is reviewed no later: the other limit gives way.
  function move(tier, text) {
    const value = Math.min(1, Math.max(0, Number(text)));
    if (Number.isNaN(value)) return;
    const next = { ...limits, [tier]: value };
    if (next.review !== null && next.act !== null && next.review > next.act) next[tier === "review" ? "act" : "review"] = value;
    set(next);
  }

  function draw() {
    fill(drawing, histogram(label.label, label.bins, [
      { at: label.review, kind: "review", name: "review" }, { at: label.act, kind: "act", name: "act" },
      { at: limits.review, kind: "tried", name: "tried for review" }, { at: limits.act, kind: "tried", name: "tried for act" },
    ]));
  }

  function set(next) {
    limits = next;
    draw();
    for (const fieldset of controls.children) {
      const value = limits[fieldset.dataset.tier];
      const [slider, field, never] = fieldset.querySelectorAll("input");
      for (const one of [slider, field]) {
        if (value !== null && Number(one.value) !== value) one.value = value;
        one.disabled = value === null;
      }
      never.checked = value === null;
    }
    clearTimeout(timer);
    timer = setTimeout(() => {
      changed(limits.review === label.review && limits.act === label.act ? null : limits);
      ask();
    }, AFTER_MS);
  }

  async function ask() {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await get("api/what-if", { label: label.label, review: limits.review, act: limits.act, span, ...textQuery() }, asking.signal);
      showShares(answer);
      showChanges(answer.changes, answer.changed ?? answer.changes.length);
    } catch (error) {
      if (error.name !== "AbortError") fill(shares, notice("bad", "This cannot be computed.", error.message));
    }
  }

  function showShares({ now, then, labelled }) {
    const row = (name, key) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "number" }, percent(now[key])),
      h("td", { class: "number" }, percent(then[key])), h("td", { class: "number" }, points(then[key] - now[key])));
    fill(shares,
      h("div", { class: "table-frame" }, h("table", { class: "compact" }, h("caption", { class: "unseen" }, "Share of comments, now and then"),
        h("thead", {}, h("tr", {}, ["Share of comments", "Now", "Then", "Difference"].map((name, index) => h("th", { scope: "col", class: index > 0 ? "number" : "" }, name)))),
        h("tbody", {}, row("Reviewed or acted on", "review_share"), row("Acted on", "act_share")))),
      labelled && labelledTable(labelled));
  }

  function showChanges(items, number) {
    if (items.length === 0) {
      fill(changes, h("p", { class: "quiet" }, "No comment of these changes side."));
      return;
    }
    const heading = h("h3");
    setText(heading, `${counted(number, "comment")} ${number === 1 ? "changes" : "change"} side${number > items.length ? `; the ${items.length} nearest to the limit` : ""}`);
    fill(changes, heading, list.element);
    list.show(items);
  }

  draw();
  ask();
  const heading = element.querySelector("h2");
  heading.tabIndex = -1;
  return { label: label.label, span, element, focus: () => heading.focus(), stop() { clearTimeout(timer); asking?.abort(); } };
}

function labelledTable(labelled) {
  const why = whyUnknown(labelled);
  if (why !== null) return h("p", { class: "quiet" }, why);
  const share = (value) => (whyUnknown(value) === null ? percent(value) : "none found");
  const cells = (found) => [share(found.precision), share(found.recall), `${count(found.positives)} of ${count(found.n)}`].map((text) => h("td", { class: "number" }, text));
  const names = ["On the labelled file", "Precision", "Recall", "Positive texts"];
  const rows = [["Reviewed, now", labelled.now.review], ["Reviewed, then", labelled.then.review], ["Acted on, now", labelled.now.act], ["Acted on, then", labelled.then.act]];
  return h("div", { class: "table-frame" }, h("table", { class: "compact" }, h("caption", { class: "unseen" }, "Precision and recall on the labelled file"),
    h("thead", {}, h("tr", {}, names.map((name, index) => h("th", { scope: "col", class: index > 0 ? "number" : "" }, name)))),
    h("tbody", {}, rows.map(([name, found]) => h("tr", {}, h("th", { scope: "row" }, name), cells(found))))));
}
