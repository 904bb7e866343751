// The page: its frame, and the view that the address names.

import { get } from "./api.js";
import { fill, h, setAttribute } from "./element.js";
import { zone } from "./format.js";
import { notice } from "./parts.js";
import { current, go, link } from "./router.js";
import { verdictLine } from "./verdict.js";
import * as deadLetters from "./views/dead-letters.js";
import * as health from "./views/health.js";
import * as now from "./views/now.js";
import * as scores from "./views/scores.js";
import * as shadow from "./views/shadow.js";
import * as stream from "./views/stream.js";

const VIEWS = { now, stream, scores, "dead-letters": deadLetters, health, shadow };
const RETRY_MS = 3000;

const main = document.getElementById("main");
const place = document.getElementById("view");
const heading = document.getElementById("view-title");
let page = null;
let shown = null; // {view, part}
let prefix = "";

function frame() {
  const facts = document.getElementById("facts");
  fill(facts,
    fact("Topics", `${[page.input].flat().join(", ")} \u2192 ${page.output}`), fact("Group", page.group), fact("Times in", zone()));
  fill(document.getElementById("navigation"), h("ul", {}, Object.entries(VIEWS).map(([view, { title }]) =>
    h("li", {}, h("a", { href: link(view), data: { view } }, title)))));
  document.getElementById("verdict").replaceWith(verdictLine((words) => { prefix = words ? `${words} · ` : ""; setTitle(); }));
  document.getElementById("version").textContent = `Sluice ${page.version}`;
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function setTitle() {
  document.title = `${prefix}${shown ? VIEWS[shown.view].title : "Sluice"} · Sluice`;
}

function route() {
  const { view: asked, query } = current();
  const view = Object.hasOwn(VIEWS, asked) ? asked : "now";
  if (shown?.view === view && shown.part.update) {
    shown.part.update(query);
    return;
  }
  if (shown?.view === view) return;
  const first = shown === null;
  shown?.part.stop();
  const context = { page, query, go: (next, options) => go(view, next, options) };
  heading.textContent = VIEWS[view].title;
  shown = { view, part: VIEWS[view].show(context) };
  fill(place, shown.part.element);
  for (const anchor of document.querySelectorAll("#navigation a")) {
    setAttribute(anchor, "aria-current", anchor.dataset.view === view ? "page" : null);
  }
  setTitle();
  if (!first) {
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

async function start() {
  try {
    page = await get("api/page");
  } catch (error) {
    fill(place, error.status === 401
      ? notice("warn", "Please log in.", error.message, " ", h("a", { href: "./" }, "Load the page again"))
      : notice("bad", "The page cannot be shown yet.", error.message));
    if (error.status !== 401) setTimeout(start, RETRY_MS);
    return;
  }
  main.removeAttribute("aria-busy");
  frame();
  route();
  addEventListener("hashchange", route);
}

// The address names the view, so the way past the navigation is a focus and no address of its own.
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  heading.focus();
});

start();
