// One open line to the server: what comes over it, and whether it is open.

import { address } from "./api.js";

const QUIET_AFTER_MS = 12_000; // `now` comes each second; a line that is silent this long is not one to trust

const listeners = { now: new Set(), events: new Set(), line: new Set(), state: new Set() };
const last = { now: null, state: { open: false, since: Date.now(), tried: false } };
const lines = new Map(); // the server begins each connection with those it keeps; each is told once
const MOST_LINES = 200;
let source = null;
let wanted = "";
let heard = 0;

/** Calls `listener` with each message of a kind, and at once with the latest where there is one (of lines: with all kept). Returns how to stop. */
export function listen(kind, listener) {
  listeners[kind].add(listener);
  if (last[kind]) listener(last[kind]);
  if (kind === "line") for (const line of lines.values()) listener(line);
  return () => listeners[kind].delete(listener);
}

/** Opens the line, or another one where the query differs from that of the open one. */
export function open(query) {
  const url = address("api/live", query);
  if (url === wanted && source !== null) return;
  wanted = url;
  connect();
}

function connect() {
  source?.close();
  source = new EventSource(wanted);
  const mine = source;
  heard = Date.now();
  mine.addEventListener("open", () => mine === source && tell(true));
  mine.addEventListener("error", () => {
    if (mine !== source) return;
    tell(false);
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === source && connect(), 3000);
  });
  for (const kind of ["now", "events", "line"]) {
    mine.addEventListener(kind, (message) => mine === source && received(kind, message.data));
  }
}

function received(kind, data) {
  heard = Date.now();
  tell(true);
  const message = JSON.parse(data);
  if (kind === "now") last.now = message;
  if (kind === "line") {
    const key = `${message.at} ${message.number}`; // the numbers of a server that was started again begin again
    if (lines.has(key)) return;
    lines.set(key, message);
    if (lines.size > MOST_LINES) lines.delete(lines.keys().next().value);
  }
  for (const listener of listeners[kind]) listener(message);
}

function tell(isOpen) {
  if (last.state.open === isOpen && last.state.tried) return;
  last.state = { open: isOpen, since: Date.now(), tried: true };
  for (const listener of listeners.state) listener(last.state);
}

setInterval(() => {
  if (source !== null && last.state.open && Date.now() - heard > QUIET_AFTER_MS) {
    tell(false);
    connect();
  }
}, 2000);
