// Health: what must be true one after another, and what to do about the first that is not.

import { get } from "../api.js";
import { fill, h, keep, setAttribute } from "../element.js";
import { clock, sentence } from "../format.js";
import { open } from "../live.js";
import { notice, prose, skeleton } from "../parts.js";

const EVERY_MS = 5000;
const STATES = { ok: "Ok", failed: "Failed", unknown: "Not known", waiting: "Waits" };

export const title = "Health";

/** The view. */
export function show() {
  open({ events: 0 });
  const verdict = h("div", { role: "status" });
  const checked = h("p", { class: "quiet" });
  const chain = h("ol", { class: "chain", "aria-label": "Checks, in order" });
  const place = h("div", {}, skeleton(7));
  let timer = null;
  let state = "";

  async function look() {
    try {
      const { checks } = await get("api/health");
      if (chain.parentElement !== place) fill(place, chain);
      keep(chain, checks, (check) => check.id, () => h("li"), updateCheck);
      const next = JSON.stringify(checks.map(({ id, state: how }) => [id, how]));
      if (next !== state) fill(verdict, verdictOf(checks));
      state = next;
      checked.textContent = `Checked at ${clock(Date.now())}, and again every ${EVERY_MS / 1000} s.`;
    } catch (error) {
      state = "";
      fill(verdict, notice("bad", "The checks could not be made.", error.message));
      if (chain.parentElement !== place) fill(place);
    }
    if (timer !== null) timer = setTimeout(look, EVERY_MS);
  }

  timer = setTimeout(look);
  return {
    element: h("div", { class: "stack" }, verdict, place, checked),
    stop() { clearTimeout(timer); timer = null; },
  };
}

function verdictOf(checks) {
  const failed = checks.find((check) => check.state === "failed");
  if (failed) return notice("bad", `${failed.title}: failed.`, sentence(failed.cure ?? failed.detail));
  const unknown = checks.find((check) => check.state === "unknown");
  if (unknown) return notice("warn", `${unknown.title}: not known.`, sentence(unknown.detail));
  if (checks.some((check) => check.state === "waiting")) return notice("plain", "Not all checks have been made yet.");
  return notice("good", "All is well.", "Every check passes.");
}

function updateCheck(row, check) {
  const state = JSON.stringify(check);
  if (row.shownState === state) return;
  row.shownState = state;
  row.className = `check check-${check.state}`;
  setAttribute(row, "aria-current", check.state === "failed" ? "step" : null);
  fill(row,
    h("span", { class: `badge badge-${check.state}` }, STATES[check.state] ?? check.state),
    h("div", {}, h("h2", {}, check.title), check.detail && h("p", {}, prose(check.detail)),
      check.cure && check.state !== "ok" && h("p", { class: "cure" }, h("strong", {}, "What to do: "), prose(check.cure)),
      check.runbook && check.state !== "ok" && h("p", {}, h("a", { href: safe(check.runbook), rel: "noopener noreferrer", target: "_blank" }, "Runbook"))));
}

/** A link only where it is one of the web's: what the server passes on must not become a script. */
const safe = (url) => (/^(https?:|\/)/.test(url) ? url : null);
