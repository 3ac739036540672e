// What time it is for the service, whose times the page shows: a browser's clock may be wrong.

let aheadMs = 0;

/** Take in a history that reaches until now. */
export function setByHistory({ until }) {
  aheadMs = Date.parse(until) - Date.now();
}

/** Milliseconds since 1970; those of the browser until a history was fetched. */
export function now() {
  return Date.now() + aheadMs;
}
