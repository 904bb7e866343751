// Now: is it well, how much comes in, how far behind is who.

import { historyChart, partBar } from "../charts.js";
import { fill, h } from "../element.js";
import { count, duration, percent, rate, shortDigest, whyUnknown } from "../format.js";
import { listen, open } from "../live.js";
import { copyButton, figure, known, notice, panel, prose, table } from "../parts.js";
import { link } from "../router.js";

export const title = "Now";

/** The view. */
export function show({ page }) {
  open({ events: 0 });
  const figures = {
    comments: figure("Comments", "labelled, over the last ten seconds"),
    tokens: figure("Tokens", "scored, over the last ten seconds"),
    flagged: figure("Flagged", "of the last minute's comments"),
    lag: figure("Waiting", "in the input, not yet labelled"),
    oldest: figure("Oldest waits", "since it was written"),
  };
  const reason = h("div");
  const chart = historyChart();
  const chartPlace = h("div", {}, h("span", { class: "skeleton skeleton-chart" }));
  const partitions = partitionTable();
  const members = memberTable();
  const states = stateTable();
  const scoring = h("div", {}, h("span", { class: "skeleton" }));
  const memberPlace = h("div", {}, h("span", { class: "skeleton" }));
  const statePlace = h("div");
  const partitionPlace = h("div", {}, h("span", { class: "skeleton" }));
  const element = h("div", { class: "stack" },
    reason,
    h("dl", { class: "figures" }, Object.values(figures).map((one) => one.element)),
    panel("Last 15 minutes", chartPlace),
    h("div", { class: "columns" }, panel("Waiting by partition", partitionPlace), h("div", { class: "stack" }, panel("Workers", memberPlace, statePlace), panel("Scored by", scoring))));

  function received(now) {
    const common = commonReason(now);
    fill(reason, common === null ? null : notice("warn", "Some of this is not known.", common));
    const showFigure = (one, value, ...rest) => one.show(value, ...rest, whyUnknown(value) === common && common !== null);
    showFigure(figures.comments, now.rates.comments_per_second, rate, "comments/s", "labelled, over the last ten seconds");
    showFigure(figures.tokens, now.rates.tokens_per_second, rate, "tokens/s", "scored, over the last ten seconds");
    const share = now.rates.flagged_share;
    const quarter = whyUnknown(share) ?? whyUnknown(share["15m"]);
    const minuteShare = whyUnknown(share) === null ? share["1m"] : share;
    showFigure(figures.flagged, minuteShare, percent, "",
      quarter === null ? `of the last minute's comments; ${percent(share["15m"])} in 15 minutes` : "of the last minute's comments");
    showFigure(figures.lag, now.lag.total, count, now.lag.total === 1 ? "comment" : "comments", "in the input, not yet labelled");
    showFigure(figures.oldest, now.oldest_unscored_seconds, (seconds) => (now.lag.total === 0 ? "none" : duration(seconds)), "",
      now.lag.total === 0 ? "nothing waits" : "since it was written");
    if (now.rates.history?.length > 0) {
      chart.update(now.rates.history);
      if (chart.figure.parentElement !== chartPlace) fill(chartPlace, chart.figure);
    } else {
      fill(chartPlace, h("p", { class: "quiet" }, "Nothing has come since this page was started."));
    }
    showList(partitionPlace, partitions, now.lag.partitions, (lag) => `${lag.topic}/${lag.partition}`, "No partition is known.");
    showMembers(memberPlace, members, now, page);
    showList(statePlace, states, now.state, (state) => state.member_or_url, "");
    showScoring(scoring, now);
  }

  const stop = listen("now", received);
  return { element, stop };
}

/** A reason that several values share is said once, above them. */
function commonReason(now) {
  const share = now.rates.flagged_share;
  const reasons = [now.rates.comments_per_second, now.rates.tokens_per_second, whyUnknown(share) === null ? share["1m"] : share, now.lag.total, now.oldest_unscored_seconds]
    .map(whyUnknown).filter((why) => why !== null);
  return reasons.find((why, index) => reasons.indexOf(why) !== index) ?? null;
}

function showList(place, shown, items, keyOf, nothing) {
  const why = whyUnknown(items);
  if (why !== null || items.length === 0) {
    fill(place, h("p", { class: "quiet" }, prose(why ?? nothing)));
    return;
  }
  if (shown.element.parentElement !== place) fill(place, shown.element);
  shown.show(items, keyOf);
}

function partitionTable() {
  const inner = table("Partitions of the input and how far the group is behind in each", [
    { name: "Partition", cell: (lag) => h("a", { href: link("stream", { topic: lag.topic, partition: lag.partition }) }, `${lag.topic}/${lag.partition}`) },
    { name: "Waiting", number: true, cell: (lag) => known(lag.lag, (waiting) => [lagBar(waiting / lag.most), count(waiting)]) },
    { name: "Committed", number: true, cell: (lag) => known(lag.committed, count) },
    { name: "End", number: true, cell: (lag) => known(lag.end, count) },
    { name: "Read by", cell: (lag) => (lag.member === null ? h("span", { class: "quiet" }, "no worker") : known(lag.member, (member) => member)) },
  ], { hiddenCaption: true });
  return {
    element: inner.element,
    show(items, keyOf) {
      const most = Math.max(1, ...items.map((lag) => (whyUnknown(lag.lag) === null ? lag.lag : 0)));
      inner.show(items.map((lag) => ({ ...lag, most })), keyOf);
    },
  };
}

function lagBar(part) {
  const bar = partBar();
  bar.update(part);
  return bar.element;
}

const memberTable = () => table("Members of the consumer group", [
  { name: "Member", cell: (member) => [member.client_id, h("span", { class: "quiet" }, ` ${member.host}`)] },
  { name: "Partitions", cell: (member) => (member.partitions.length === 0 ? "none" : inRuns(member.partitions)) },
], { hiddenCaption: true });

const stateTable = () => table("What the workers say of themselves", [
  { name: "Worker", cell: (state) => state.member_or_url },
  { name: "State", cell: inWords },
], { hiddenCaption: true });

/** `comments 0–2, 5`: partitions of a topic in runs. */
function inRuns(partitions) {
  const topics = new Map();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return [...topics].map(([topic, numbers]) => {
    const runs = [];
    for (const number of numbers.sort((left, right) => left - right)) {
      if (runs.length > 0 && runs.at(-1)[1] === number - 1) runs.at(-1)[1] = number;
      else runs.push([number, number]);
    }
    return `${topic} ${runs.map(([from, to]) => (from === to ? from : `${from}\u2013${to}`)).join(", ")}`;
  }).join("; ");
}

function showMembers(place, shown, now, page) {
  if (whyUnknown(now.members) === null && now.members.length === 0) {
    fill(place, notice("warn", `No worker is in the group ${page.group}.`, "Comments wait until one is: start it with `sluice run`."));
    return;
  }
  showList(place, shown, now.members, (member) => member.id, "");
}

/** What one worker says of itself. */
function inWords(state) {
  if (state.unknown) return h("span", { class: "quiet" }, whyUnknown(state));
  return [state.breaker ? "stopped: too many dead letters" : null, state.paused ? "paused: the model is behind" : null,
    state.ready ? "ready" : `not ready${state.reasons ? `: ${state.reasons}` : ""}`].filter(Boolean).join(", ");
}

function showScoring(place, now) {
  const why = whyUnknown(now.model);
  if (why !== null) {
    fill(place, h("p", { class: "quiet" }, prose(why)));
    return;
  }
  const state = JSON.stringify([now.model, now.threshold_set, now.other_models]);
  if (place.shownState === state) return;
  place.shownState = state;
  const line = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const { model } = now;
  fill(place,
    (now.other_models ?? []).length > 0 && notice("warn", "The last events were not all scored alike.",
      `Beside the newest: ${now.other_models.map((other) => `${other.id ?? "?"} (${shortDigest(other.digest ?? "")}) with ${other.threshold_set ?? "?"}`).join("; ")}. Expected only while a change of model or thresholds is rolled out.`),
    h("dl", { class: "facts" },
      line("Model", model.id), line("Revision", model.revision ?? "none stated"),
      line("Digest", h("span", { class: "bytes" }, shortDigest(model.digest)), " ", copyButton("Copy", model.digest)),
      line("Precision", model.precision), line("Threshold set", known(now.threshold_set, (set) => set))));
}
