// Scores: where they lie, label by label, and what other thresholds would do.

import { address, get } from "../api.js";
import { histogram } from "../charts.js";
import { fill, h } from "../element.js";
import { clock, count, counted, percent, sentence } from "../format.js";
import { open } from "../live.js";
import { limitsInWords, notice, segments, skeleton } from "../parts.js";
import { whatIf } from "../what-if.js";
import { draftOf, draftText } from "../draft.js";
import { plain, spelled } from "../text.js";

const EVERY_MS = 10_000;
const SPANS = { "15m": "15 minutes", "1h": "1 hour", "1d": "1 day" };

export const title = "Scores";

/** The view. */
export function show(context) {
  open({ events: 0 });
  let query = context.query;
  let scores = null;
  let panelOf = null; // the what-if of the label that is tried
  let timer = null;
  let asked = false; // a trial that the reader has just asked for gets the focus
  const choice = h("div");
  const cover = h("p", { class: "quiet" });
  const labels = h("div", { class: "label-cards" }, skeleton(6));
  const trial = h("div");
  const result = h("div", { class: "result-place" });
  const element = h("div", { class: "stack" }, h("div", { class: "toolbar" }, choice, cover), labels, trial, result);

  const span = () => (Object.hasOwn(SPANS, query.span ?? "") ? query.span : "15m");
  const change = (part) => context.go({ ...query, ...part }, { replace: true });

  async function look() {
    clearTimeout(timer);
    const wanted = span();
    try {
      const answer = await get("api/scores", { span: wanted });
      if (wanted !== span()) return;
      scores = answer;
      render();
    } catch (error) {
      fill(labels, notice("bad", "The scores cannot be shown.", error.message));
    }
    if (timer !== null) timer = setTimeout(look, EVERY_MS);
  }

  function render() {
    const { covers } = scores;
    fill(cover, `${counted(scores.seen, "event")}${scores.sampled < scores.seen ? `, of which ${count(scores.sampled)} were read` : ""}`,
      covers?.from ? `, from ${clock(covers.from)} to ${clock(covers.to)}` : "", ".", covers?.why_not_more ? ` ${sentence(covers.why_not_more)}` : "");
    if (scores.labels.length === 0) {
      fill(labels, notice("plain", "No scores yet.", sentence(covers?.why_not_more) || "They come with the first label event."));
      return;
    }
    const draft = draftOf(query.draft);
    const focused = labels.contains(document.activeElement) ? document.activeElement.dataset.label : null;
    fill(labels, scores.labels.map((label) => card(label, draft[label.label])));
    if (focused) labels.querySelector(`button[data-label="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    showTrial();
    showResult(draft);
  }

  function card(label, tried) {
    const lines = [
      { at: label.review, kind: "review", name: "review" }, { at: label.act, kind: "act", name: "act" },
      ...(tried ? [{ at: tried.review, kind: "tried", name: "tried for review" }, { at: tried.act, kind: "tried", name: "tried for act" }] : []),
    ];
    return h("section", { class: "panel label-card", "aria-label": `Scores of ${spelled(label.label)}` },
      h("header", {}, h("h2", {}, plain(label.label)),
        h("button", { type: "button", class: "small", "aria-pressed": String(query.label === label.label), data: { label: label.label },
          on: { click: () => {
            asked = query.label !== label.label;
            change({ label: asked ? label.label : "" });
          } } }, "What if")),
      histogram(label.label, label.bins, lines),
      h("p", { class: "quiet" }, `${limitsInWords(label)}. Flagged: ${percent(label.flagged_share)}.`));
  }

  function showTrial() {
    const label = scores.labels.find((one) => one.label === query.label);
    if (!label) {
      panelOf = null;
      fill(trial);
      return;
    }
    if (panelOf?.label === label.label && panelOf.span === span()) return;
    const opened = asked;
    asked = false;
    panelOf?.stop();
    panelOf = whatIf(label, span(), draftOf(query.draft)[label.label], context.page, (limits) => {
      const draft = draftOf(query.draft);
      if (limits === null) delete draft[label.label];
      else draft[label.label] = limits;
      change({ draft: draftText(draft) });
    });
    fill(trial, panelOf.element);
    if (opened) panelOf.focus();
  }

  function showResult(draft) {
    const changed = Object.keys(draft).filter((label) => scores.labels.some((one) => one.label === label));
    if (changed.length === 0) {
      fill(result);
      return;
    }
    const set = Object.fromEntries(scores.labels.map(({ label, review, act }) => [label, draft[label] ?? { review, act }]));
    fill(result, h("section", { class: "panel result", "aria-label": "Your threshold set" },
      h("p", {}, `${counted(changed.length, "label")} changed: `, changed.map((label, index) => `${index > 0 ? "; " : ""}${spelled(label)} ${limitsInWords(draft[label])}`), "."),
      h("p", { class: "buttons" },
        h("a", { class: "button primary", href: address("api/what-if.json", { set: JSON.stringify(set) }), download: "" }, "Download threshold set"),
        h("button", { type: "button", on: { click: () => { panelOf?.stop(); panelOf = null; change({ draft: "" }); } } }, "Discard changes")),
      h("p", { class: "quiet" }, "This page never applies it. A worker does: ", h("code", {}, "sluice run --set model.thresholds=FILE"))));
  }

  function showChoice() {
    fill(choice, segments("Events of the last", SPANS, span(), (next) => change({ span: next === "15m" ? "" : next })));
  }

  showChoice();
  timer = setTimeout(look);
  return {
    element,
    update(next) {
      const before = span();
      query = next;
      if (before !== span()) {
        const focused = choice.contains(document.activeElement);
        showChoice();
        if (focused) choice.querySelector('[aria-pressed="true"]').focus();
        look();
      } else if (scores !== null) {
        render();
      }
    },
    stop() { clearTimeout(timer); timer = null; panelOf?.stop(); },
  };
}
