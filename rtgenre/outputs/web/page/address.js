// What is looked at, in the page's address, so that a reload or a bookmark comes back to it.

const VIEWS = ["history", "taught", "rooms", "settings"];
const RANGES = ["hour", "day", "week"];

/** {view, range, day, node}: `day` is a calendar day's local midnight, `node` a room, or null. */
export function readAddress() {
  const query = new URLSearchParams(location.search);
  const day = /^([12]\d{3})-(\d\d)-(\d\d)$/.exec(query.get("day") ?? "");
  let view = VIEWS.includes(query.get("view")) ? query.get("view") : "live";
  if (query.has("kiosk")) view = "kiosk";
  return {
    view,
    range: RANGES.includes(query.get("range")) ? query.get("range") : RANGES[0],
    day: day && new Date(day[1], day[2] - 1, day[3]).getTime(),
    node: query.get("node"),
  };
}

/** Change parts of it; one can go back to what was before, except to another room. */
export function writeAddress(changes) {
  const wanted = { ...readAddress(), ...changes };
  const query = new URLSearchParams(location.search);
  const isHistory = wanted.view === "history";
  set(query, "kiosk", wanted.view === "kiosk" ? "" : null);
  set(query, "view", VIEWS.includes(wanted.view) ? wanted.view : null);
  set(query, "range", isHistory ? wanted.range : null);
  set(query, "day", isHistory && wanted.range === "day" ? dateOf(wanted.day) : null);
  set(query, "node", wanted.node);
  const text = String(query).replace(/=(?=&|$)/g, "");
  const search = text && `?${text}`;
  if (search === location.search) return;
  const how = "node" in changes ? "replaceState" : "pushState";
  window.history[how](null, "", location.pathname + search);
}

function set(query, name, value) {
  if (value === null) query.delete(name);
  else query.set(name, value);
}

function dateOf(time) {
  if (time === null) return null;
  const date = new Date(time);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}
