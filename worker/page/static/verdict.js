// The one line above every view: is all well, and if not, what first.

import { get } from "./api.js";
import { fill, h } from "./element.js";
import { clock, count, counted, duration, whyUnknown } from "./format.js";
import { listen } from "./live.js";
import { link } from "./router.js";

const EVERY_MS = 15_000;
const ENDED = ["bad", "Your session has ended.", "", "Logged out"];
const OLD_SECONDS = 60; // a comment that waits longer than a minute is worth a word

/** The line; it keeps itself up to date, and the tab's title with it. `titled(prefix)` sets the latter. */
export function verdictLine(titled) {
  const element = h("p", { class: "verdict", role: "status" }, h("span", { class: "skeleton", "aria-hidden": "true" }));
  let now = null;
  let checks = null;
  let connection = { open: true };
  let ended = false; // the session, after some hours or with the server that gave it
  let said = "";
  let timer = null;

  function say() {
    const [kind, words, view, short] = ended ? ENDED : judge(now, checks, connection);
    titled(short);
    const state = [kind, words].join();
    if (state === said) return;
    said = state;
    element.className = `verdict verdict-${kind}`;
    fill(element, h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, words, view !== null ? [" ", h("a", { href: view === "" ? "./" : link(view) }, view === "" ? "Log in again" : "See why")] : ""));
  }

  async function look() {
    if (document.visibilityState === "visible") {
      try {
        checks = (await get("api/health")).checks;
        ended = false;
      } catch (error) {
        checks = null;
        ended = error.status === 401;
      }
      say();
    }
    clearTimeout(timer);
    timer = setTimeout(look, EVERY_MS);
  }

  listen("now", (message) => { now = message; say(); });
  listen("state", (state) => { connection = state; if (state.tried) say(); if (state.tried && !state.open) look(); });
  look();
  return element;
}

function judge(now, checks, connection) {
  if (connection.tried && !connection.open) {
    const since = now === null ? "" : ` Shown is how it was at ${clock(now.at)}.`;
    return ["bad", `The page's server does not answer; trying again.${since}`, null, "No connection"];
  }
  const failed = checks?.find((check) => check.state === "failed");
  if (failed) return ["bad", `${failed.title}: failed.`, "health", `Failed: ${failed.title}`];
  if (now === null) return ["plain", "Waiting for the first figures.", null, ""];
  const states = whyUnknown(now.state) === null ? now.state : [];
  const broken = states.filter((state) => state.breaker).length;
  if (broken > 0) return ["bad", `${counted(broken, "worker")} stopped: too many dead letters.`, "dead-letters", "Stopped"];
  const lag = whyUnknown(now.lag.total);
  if (lag !== null) return ["warn", `How far behind is not known: ${lag}`, null, "Not known"];
  const oldest = whyUnknown(now.oldest_unscored_seconds) === null ? now.oldest_unscored_seconds : 0;
  if (now.lag.total > 0 && oldest > OLD_SECONDS) {
    return ["warn", `${counted(now.lag.total, "comment")} ${now.lag.total === 1 ? "waits" : "wait"}, the oldest for ${duration(roughly(oldest))}.`, null, `${count(now.lag.total)} wait`];
  }
  const unknown = checks?.find((check) => check.state === "unknown");
  if (unknown) return ["good", `All that is known is well. Not known: ${unknown.title[0].toLowerCase()}${unknown.title.slice(1)}.`, "health", ""];
  return ["good", "All is well.", null, ""];
}

/** To tens of seconds, so that a screen reader is not told each of them. */
const roughly = (seconds) => Math.floor(seconds / 10) * 10;
