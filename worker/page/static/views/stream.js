// The stream: the newest label events as they come, filtered, held still while somebody reads.

import { address, get } from "../api.js";
import { announce } from "../announce.js";
import { fill, h, setText } from "../element.js";
import { eventDialog } from "../event-dialog.js";
import { filterFields, filtersOf } from "../event-filters.js";
import { eventList } from "../event-list.js";
import { clock, count, counted, sentence } from "../format.js";
import { listen, open } from "../live.js";
import { notice, skeleton } from "../parts.js";
import { link } from "../router.js";
import { showTexts, textQuery, textsShown } from "../texts.js";

const KEPT = 200; // events in the list; older ones are a request away

export const title = "Stream";

/** The view. `context`: {page, query, go(query, options)}. */
export function show(context) {
  const { page } = context;
  let query = context.query;
  let shown = []; // newest first
  let waiting = []; // what came while the list was held
  let cursor = null;
  let kept = KEPT;
  let paused = null; // since when
  let pointerInside = false;
  let dialog = null;
  let request = 0;

  const list = eventList("Label events, newest first", page, (summary) => link("stream", { ...filtersOf(query), event: summary.key }));
  const filters = h("div");
  const pause = h("button", { type: "button", on: { click: () => (paused === null ? hold() : resume()) } });
  const texts = h("button", { type: "button", on: { click: toggleTexts } });
  const downloads = h("span", { class: "buttons" });
  const held = h("p", { class: "held" });
  const sampling = h("p", { class: "quiet" });
  const place = h("div", {}, skeleton(8));
  const older = h("button", { type: "button", hidden: true, on: { click: loadOlder } }, "Older events");
  const element = h("div", {},
    filters, h("div", { class: "toolbar" }, pause, texts, downloads, held), sampling, place, h("div", { class: "toolbar" }, older));

  list.element.addEventListener("pointerenter", (event) => { pointerInside = event.pointerType === "mouse"; });
  list.element.addEventListener("pointerleave", () => { pointerInside = false; take(); });
  list.element.addEventListener("focusout", () => setTimeout(take));

  const stops = [listen("events", received)];

  // A list that moves under the pointer or the focus is one that is misread and misclicked.
  const isHeld = () => paused !== null || pointerInside || dialog !== null || list.element.contains(document.activeElement);

  function received(message) {
    const have = new Set([...waiting, ...shown].map((summary) => summary.key));
    waiting = [...message.events.filter((summary) => !have.has(summary.key)), ...waiting].slice(0, KEPT);
    const all = Object.keys(filtersOf(query)).length === 0; // with filters, most of what came is not to be shown
    setText(sampling, all && message.seen > message.shown
      ? `${count(message.shown)} of ${counted(message.seen, "event")} came to this page in the last moment: it shows a sample when they come fast.` : "");
    take();
  }

  function take() {
    if (!isHeld() && waiting.length > 0) {
      shown = [...waiting, ...shown].slice(0, kept);
      waiting = [];
      if (page.labels.length === 0) learnLabels();
      render();
    }
    sayHeld();
  }

  function sayHeld() {
    const many = waiting.length >= KEPT ? `${count(KEPT)} or more` : count(waiting.length);
    if (paused !== null) setText(held, `Paused at ${clock(paused)}. ${waiting.length === 0 ? "Nothing new since." : `${many} new since.`}`);
    else setText(held, waiting.length > 0 ? `${many} new; the list is still while you read.` : "");
  }

  function hold() {
    paused = Date.now();
    announce("Paused");
    buttons();
    sayHeld();
  }

  function resume() {
    paused = null;
    const number = waiting.length;
    take();
    announce(number === 0 ? "Resumed" : `Resumed, ${counted(number, "new event")}`);
    buttons();
  }

  async function toggleTexts() {
    showTexts(!textsShown());
    announce(textsShown() ? "Texts are shown" : "Texts are hidden");
    buttons();
    await reload();
  }

  function buttons() {
    setText(pause, paused === null ? "Pause" : "Resume");
    setText(texts, textsShown() ? "Hide texts" : "Show texts");
    texts.hidden = page.text === "hash" || page.text === "omit";
    const asked = { ...filtersOf(query), ...textQuery() };
    fill(downloads,
      h("a", { class: "button", href: address("api/events", asked), target: "_blank", rel: "noopener" }, "JSON"),
      h("a", { class: "button", href: address("api/events.csv", asked), download: "" }, "CSV"));
  }

  async function reload() {
    const asked = { ...filtersOf(query), ...textQuery() };
    const mine = ++request;
    open(asked);
    try {
      const answer = await get("api/events", { ...asked, limit: 50 });
      if (mine !== request) return; // another filter has been chosen meanwhile
      shown = answer.events;
      waiting = [];
      cursor = answer.next;
      kept = KEPT;
      if (page.labels.length === 0) learnLabels();
      render();
      setText(sampling, sentence(answer.note));
    } catch (error) {
      fill(place, notice("bad", "The events cannot be shown.", error.message));
    }
  }

  /** A page that was opened before the first event knows no labels yet. */
  function learnLabels() {
    page.labels = Object.keys(shown.find((summary) => !summary.problem)?.scores ?? {});
    if (page.labels.length > 0) filtersChanged();
  }

  function render() {
    older.hidden = cursor === null;
    if (shown.length === 0) {
      fill(place, empty());
    } else {
      if (list.element.parentElement !== place) fill(place, list.element);
      list.show(shown);
    }
  }

  function empty() {
    if (Object.keys(filtersOf(query)).length > 0) return notice("plain", "No event matches these filters.", "New ones that match appear here as they come.");
    return notice("plain", `No label events in ${page.output} yet.`, "They appear here as a worker publishes them: `sluice run` starts one, `sluice produce` sends sample comments.");
  }

  async function loadOlder() {
    older.disabled = true;
    try {
      const answer = await get("api/events", { ...filtersOf(query), ...textQuery(), before: cursor, limit: 50 });
      const have = new Set(shown.map((summary) => summary.key));
      const added = answer.events.filter((summary) => !have.has(summary.key));
      shown = [...shown, ...added];
      kept = Math.max(kept, shown.length);
      cursor = answer.next;
      render();
      announce(`${counted(added.length, "older event")} added`);
    } catch (error) {
      fill(place, list.element, notice("bad", "Older events cannot be shown.", error.message));
    }
    older.disabled = false;
  }

  function openDialog() {
    dialog?.remove();
    dialog = null;
    const key = query.event;
    if (!key) return take();
    const index = shown.findIndex((summary) => summary.key === key);
    const at = (place) => (index >= 0 && shown[place] ? link("stream", { ...filtersOf(query), event: shown[place].key }) : null);
    dialog = eventDialog(key, page, { previous: at(index - 1), next: at(index + 1) }, () => {
      dialog = null;
      context.go({ ...filtersOf(query) });
      const row = [...list.element.children].find((child) => child.dataset.key === key);
      row?.querySelector("a")?.focus({ preventScroll: true });
      if (shown.length > 0) list.show(shown);
    });
  }

  function filtersChanged() {
    const focused = [...filters.querySelectorAll("select, input, button")].indexOf(document.activeElement);
    const wasOpen = filters.querySelector("details")?.open;
    fill(filters, filterFields(page, query, (next) => context.go(next, { replace: true })));
    if (wasOpen !== undefined) filters.querySelector("details").open = wasOpen;
    if (focused >= 0) filters.querySelectorAll("select, input, button")[focused]?.focus();
    buttons();
  }

  filtersChanged();
  reload().then(openDialog);
  return {
    element,
    update(next) {
      const before = JSON.stringify(filtersOf(query));
      query = next;
      if (before !== JSON.stringify(filtersOf(query))) {
        filtersChanged();
        fill(place, skeleton(8));
        reload();
      } else {
        list.show(shown);
      }
      openDialog();
    },
    stop() {
      stops.forEach((stop) => stop());
      dialog?.remove();
    },
  };
}
