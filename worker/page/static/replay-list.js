// Replays of this page: how far each is, and a way to stop it.

import { get, post } from "./api.js";
import { partBar } from "./charts.js";
import { h, setText } from "./element.js";
import { clock, count, counted, rate } from "./format.js";
import { table } from "./parts.js";

const STATES = { running: "Running", done: "Done", failed: "Failed", stopped: "Stopped" };

/** The list; `look()` brings it up to date, and it is not there while there is nothing in it. */
export function replayList(changed) {
  const problem = h("p", { role: "alert" });
  const shown = table("Replays", [
    { name: "Begun", cell: (replay) => clock(replay.at) },
    { name: "What", cell: (replay) => h("bdi", {}, String(replay.what)) },
    { name: "Sent", number: true, cell: (replay) => [progress(replay), `${count(replay.sent)} of ${counted(replay.total, "letter")}`] },
    { name: "Rate", number: true, cell: (replay) => (replay.rate ? `${rate(replay.rate)} records/s` : "as fast as it goes") },
    { name: "State", cell: (replay) => [STATES[replay.state] ?? replay.state, replay.problem ? `: ${replay.problem}` : ""] },
    { name: "Stop", cell: (replay) => (replay.state === "running" ? stopButton(replay) : "") },
  ]);
  const element = h("section", { class: "panel", "aria-label": "Replays", hidden: true }, shown.element, problem);

  function stopButton(replay) {
    return h("button", { type: "button", class: "small", "aria-label": `Stop the replay of ${replay.what}`, on: { click: async (event) => {
      event.target.disabled = true;
      try {
        await post(`api/replays/${encodeURIComponent(replay.id)}/stop`);
        setText(problem, "");
      } catch (error) {
        setText(problem, error.message);
      }
      changed();
    } } }, "Stop");
  }

  return {
    element,
    async look() {
      let replays = [];
      try {
        replays = await get("api/replays");
      } catch (error) {
        setText(problem, error.status === 404 ? "" : error.message);
        return;
      }
      element.hidden = replays.length === 0;
      shown.show(replays, (replay) => replay.id);
    },
  };
}

function progress(replay) {
  const bar = partBar();
  bar.update(replay.total === 0 ? 1 : replay.sent / replay.total);
  return bar.element;
}
