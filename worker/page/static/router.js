// Which view is shown and with what: all of it is in the address, so that a link shows what its sender saw.

/** `#/stream?tier=act` as {view, query}; the view "now" where there is none. */
export function current() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { view: path || "now", query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a view; empty values are left out of it. */
export function link(view, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length === 0 ? `#/${view}` : `#/${view}?${new URLSearchParams(given)}`;
}

/** Goes to a view; with `replace`, without an entry of its own in the history (a filter, not a page). */
export function go(view, query = {}, { replace = false } = {}) {
  const url = link(view, query);
  if (url === location.hash) return;
  if (replace) {
    history.replaceState(null, "", url);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = url;
  }
}
