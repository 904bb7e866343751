// Dead letters: what was rejected and why, and the way back.

import { address, get } from "../api.js";
import { deadLetterGroup } from "../dead-letter-group.js";
import { fill, h, keep } from "../element.js";
import { clock, counted, sentence, whyUnknown } from "../format.js";
import { listen, open } from "../live.js";
import { notice, panel, skeleton } from "../parts.js";
import { replayDialog } from "../replay-dialog.js";
import { replayList } from "../replay-list.js";
import { showTexts, textQuery, textsShown } from "../texts.js";

const EVERY_MS = 5000;
const LINES = 100;

export const title = "Dead letters";

/** The view. */
export function show(context) {
  open({ events: 0 });
  const { page } = context;
  let query = context.query;
  let timer = null;
  let dialog = null;
  const summary = h("p", { class: "lead" });
  const samples = h("button", { type: "button", on: { click: () => { showTexts(!textsShown()); look(); } } });
  const downloads = h("span", { class: "buttons" });
  const groups = h("ul", { class: "groups", "aria-label": "Dead letters by stage and error" });
  const place = h("div", {}, skeleton(5));
  const replays = replayList(() => look());
  const lines = h("ol", { class: "lines", "aria-label": "What happened, newest first" });
  const nothing = h("p", { class: "quiet" }, "Nothing yet since this page was opened.");
  const element = h("div", { class: "stack" },
    h("div", { class: "toolbar" }, summary, samples, downloads),
    page.can_replay ? null : notice("plain", "This page only reads.", "Start it with --allow-replay to send dead letters back, or use `sluice dead-letters replay`."),
    place, replays.element, panel("What happened", nothing, lines));

  const replay = (what) => {
    dialog?.close();
    dialog = replayDialog(what, () => { dialog = null; look(); });
  };

  async function look() {
    clearTimeout(timer);
    samples.textContent = textsShown() ? "Hide samples" : "Show samples";
    fill(downloads, h("a", { class: "button", href: address("api/dead-letters", textQuery()), target: "_blank", rel: "noopener" }, "JSON"),
      h("a", { class: "button", href: address("api/dead-letters.csv", textQuery()), download: "" }, "CSV"));
    try {
      const answer = await get("api/dead-letters", textQuery());
      showGroups(answer);
    } catch (error) {
      fill(place, notice("bad", "The dead letters cannot be shown.", error.message));
    }
    await replays.look();
    if (timer !== null) timer = setTimeout(look, EVERY_MS);
  }

  function showGroups(answer) {
    const why = whyUnknown(answer.total);
    summary.textContent = why !== null || answer.total === 0 ? ""
      : `${counted(answer.total, "dead letter")} in ${page.dead_letters}, ${counted(answer.groups.length, "reason")}. ${sentence(answer.note)}`;
    samples.hidden = answer.groups.length === 0;
    if (answer.groups.length === 0) {
      fill(place, why !== null
        ? notice("warn", "Not known.", why)
        : notice("good", "No dead letters.", `Nothing is in ${page.dead_letters}: every comment could be labelled.`));
      return;
    }
    if (groups.parentElement !== place) fill(place, groups);
    keep(groups, answer.groups, (group) => group.id, () => deadLetterGroup(page, replay, toggle), (row, group) => row.show(group, query.group === group.id));
  }

  const toggle = (id) => context.go({ group: query.group === id ? "" : id }, { replace: true });

  const stopLines = listen("line", (line) => {
    nothing.hidden = true;
    lines.prepend(h("li", { class: `line-${line.level}` }, h("time", { datetime: line.at }, clock(line.at)), " ", line.text));
    while (lines.children.length > LINES) lines.lastElementChild.remove();
  });

  timer = setTimeout(look);
  return {
    element,
    update(next) {
      query = next;
      look();
    },
    stop() { clearTimeout(timer); timer = null; stopLines(); dialog?.close(); },
  };
}
