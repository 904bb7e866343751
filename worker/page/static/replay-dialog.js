// Before anything is sent: how many, where to, how fast, at most how many. Nothing is sent without the last button.

import { announce } from "./announce.js";
import { get, post } from "./api.js";
import { fill, h } from "./element.js";
import { counted, duration, sentence } from "./format.js";
import { input, notice, skeleton } from "./parts.js";

const RATE = 50; // records/s to begin with: new comments must not wait behind old ones

/** Asks for one group or letter: {query: {group} or {key}, words}. `done` is called when the dialog is gone. */
export function replayDialog({ query, words }, done) {
  const body = h("div", { class: "dialog-body" }, skeleton(3));
  const dialog = h("dialog", { class: "dialog dialog-small", "aria-labelledby": "replay-title" },
    h("header", { class: "dialog-head" }, h("h2", { id: "replay-title", tabindex: -1 }, "Replay ", h("bdi", {}, words))), body);
  dialog.addEventListener("close", () => { dialog.remove(); done(); });
  document.body.append(dialog);
  dialog.showModal();
  prepare(query, body, dialog);
  return dialog;
}

const close = (dialog, word = "Cancel") => h("button", { type: "button", on: { click: () => dialog.close() } }, word);

async function prepare(query, body, dialog) {
  try {
    const found = await get("api/replay", query);
    fill(body, found.can_replay && found.count > 0 ? form(query, found, body, dialog) : refusal(found, dialog));
  } catch (error) {
    fill(body, notice("bad", "This cannot be replayed.", error.message), h("p", { class: "buttons" }, close(dialog, "Close")));
  }
}

const refusal = (found, dialog) => [
  notice("warn", found.count === 0 ? "No letter of these is left to replay." : "This cannot be replayed.", sentence(found.why_not)),
  h("p", { class: "buttons" }, close(dialog, "Close")),
];

function form(query, found, body, dialog) {
  const values = { rate: Math.min(RATE, Math.max(1, found.count)), limit: found.count };
  const problem = h("div", { role: "alert" });
  const send = h("button", { type: "submit", class: "primary" });
  const time = h("p", { class: "quiet" });
  const say = () => {
    const number = Math.min(values.limit, found.count);
    send.textContent = `Send ${counted(number, "letter")} back`;
    time.textContent = values.rate > 0 ? `About ${duration(number / values.rate)}.` : "";
  };
  const change = (name) => (text) => { values[name] = Number(text); say(); };
  say();
  return h("form", {
    class: "stack", on: { submit: async (event) => {
      event.preventDefault();
      send.disabled = true;
      try {
        await post("api/replay", { ...query, rate: values.rate, limit: values.limit, count: found.count });
        announce("The replay has begun");
        dialog.close();
      } catch (error) {
        fill(problem, notice("bad", "Nothing was sent.", error.message));
        send.disabled = false;
      }
    } },
  },
  h("p", {}, found.at_least ? "At least " : "", h("strong", {}, counted(found.count, "letter")), " would go back to ", h("strong", {}, found.target), " as they came. What failed because of its own bytes fails again; one that was replayed too often stays."),
  h("div", { class: "fields" },
    input("Records per second", { type: "number", min: 0.01, step: "any", required: true, value: values.rate, inputmode: "decimal" }, change("rate"), "input"),
    input("At most", { type: "number", min: 1, max: found.count, step: 1, required: true, value: values.limit, inputmode: "numeric" }, change("limit"), "input")),
  time, problem, h("p", { class: "buttons" }, close(dialog), send));
}
