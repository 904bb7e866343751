// One kind of dead letter: stage and error, how many since when, a sample, and the letters themselves on demand.

import { address, get } from "./api.js";
import { fill, h } from "./element.js";
import { clock, count, counted } from "./format.js";
import { notice, skeleton, table } from "./parts.js";
import { plain } from "./text.js";

/** A row of the list; `row.show(group, isOpen)` brings it up to date. `replay(what)` begins a replay. */
export function deadLetterGroup(page, replay, toggle) {
  const head = h("div", { class: "group-head" });
  const letters = h("div", { class: "group-letters" });
  const row = h("li", { class: "panel group" }, head, letters);
  let state = "";
  let loaded = "";
  row.show = (group, isOpen) => {
    const next = JSON.stringify([group, isOpen]);
    if (next !== state) {
      const focused = head.contains(document.activeElement) ? [...head.querySelectorAll("button")].indexOf(document.activeElement) : -1;
      fill(head, title(group, page, replay, toggle, isOpen));
      if (focused >= 0) head.querySelectorAll("button")[focused]?.focus({ preventScroll: true });
      state = next;
    }
    const wanted = isOpen ? `${group.id} ${group.count}` : "";
    if (wanted === loaded) return;
    loaded = wanted;
    if (isOpen) load(group, page, replay, letters);
    else fill(letters);
  };
  return row;
}

function title(group, page, replay, toggle, isOpen) {
  const { sample } = group;
  return [
    h("div", { class: "group-title" },
      h("h2", {}, plain(group.error)), h("span", { class: "badge" }, plain(group.stage)),
      h("span", { class: "group-count" }, h("span", { class: "number" }, count(group.count)), group.count === 1 ? " letter" : " letters")),
    h("p", { class: "quiet" }, group.first === group.last ? `At ${clock(group.first)}` : `First ${clock(group.first)}, last ${clock(group.last)}`,
      sample ? `; a sample is ${sample.topic}/${sample.partition}/${sample.offset}, ${hops(sample.hops)}` : "", "."),
    sample?.preview ? h("pre", { class: "preview", tabindex: 0, "aria-label": "Sample of the record's bytes" }, sample.preview) : null,
    h("div", { class: "buttons" },
      h("button", { type: "button", "aria-expanded": String(isOpen), on: { click: () => toggle(group.id) } }, isOpen ? "Hide letters" : "Show letters"),
      page.can_replay && h("button", { type: "button", on: { click: () => replay({ query: { group: group.id }, words: `${group.error} (${group.stage})` }) } }, "Replay …")),
  ];
}

const hops = (number) => (number === 0 ? "never replayed" : `replayed ${number === 1 ? "once" : `${number} times`}`);

async function load(group, page, replay, place) {
  fill(place, skeleton(3));
  const letters = [];
  let before = null; // where the older ones begin
  const columns = [
    { name: "When", cell: (letter) => clock(letter.at) },
    { name: "Record", cell: (letter) => h("span", { class: "bytes" }, source(letter)) },
    { name: "Detail", cell: (letter) => plain(letter.detail ?? "") },
    { name: "Replays", number: true, cell: (letter) => count(letter.hops ?? 0) },
    ...(page.can_replay ? [{ name: "Send back", cell: (letter) => h("button", {
      type: "button", class: "small", "aria-label": `Replay the letter ${letter.key} …`,
      on: { click: () => replay({ query: { key: letter.key }, words: `the letter ${letter.key}` }) } }, "Replay …") }] : []),
  ];
  const shown = table(`Letters of ${group.error}`, columns, { hiddenCaption: true });
  const more = h("button", { type: "button", on: { click: next } }, "Older letters");
  const csv = h("a", { class: "button", href: address(`api/dead-letters/${encodeURIComponent(group.id)}.csv`), download: "" }, "CSV");
  async function next() {
    more.disabled = true;
    try {
      const answer = await get(`api/dead-letters/${encodeURIComponent(group.id)}`, { before, limit: 20 });
      const have = new Set(letters.map((letter) => letter.key));
      const added = answer.letters.filter((letter) => !have.has(letter.key));
      letters.push(...added);
      shown.show(letters, (letter) => letter.key);
      if (letters.length === 0) fill(place, h("p", { class: "quiet" }, "The letters themselves are no longer in the topic."));
      else if (shown.element.parentElement !== place) fill(place, shown.element, h("div", { class: "buttons" }, more, csv));
      before = answer.next ?? null;
      more.hidden = before === null;
      if (added.length > 0 && letters.length > 20) more.setAttribute("aria-label", `Older letters, ${counted(letters.length, "letter")} shown`);
    } catch (error) {
      fill(place, notice("bad", "The letters cannot be shown.", error.message));
    }
    more.disabled = false;
  }
  await next();
}

function source(letter) {
  const from = letter.source;
  return from && typeof from === "object" && !from.unknown ? `${from.topic}/${from.partition}/${from.offset}` : letter.key;
}
