// What the server is asked, and how its refusals read.

import { sentence } from "./format.js";

/** A request that was not answered as asked: `message` is a sentence for the reader, `status` 0 where nobody answered. */
class Refused extends Error {
  constructor(message, status) {
    super(sentence(message));
    this.status = status;
  }
}

/** The path of a list with what of the query is not empty. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** Topic, partition and offset as a path, whatever characters the topic has. */
export const keyPath = (key) => {
  const parts = key.split("/");
  const [partition, offset] = parts.slice(-2);
  return [parts.slice(0, -2).join("/"), partition, offset].map(encodeURIComponent).join("/");
};

export const get = (path, query, signal) => ask(address(path, query), { signal });

export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) });

async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", headers: { accept: "application/json" }, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The page's server does not answer. Is `sluice page` still running?", 0);
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  if (response.status === 401) {
    throw new Refused(answer?.error ?? "The session has ended. Load the page again and give the token.", 401);
  }
  throw new Refused(answer?.error ?? `The page's server answered ${response.status} without a reason.`, response.status);
}
