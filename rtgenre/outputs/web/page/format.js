// Values as people read them; pure.

const NAMES = { hiphop: "Hip-hop" };
// 09:05 where the day has 24 hours, 9:05 AM where it has twice twelve.
const TWELVE = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12;
const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: TWELVE ? "numeric" : "2-digit",
  minute: "2-digit",
});
const HOUR = new Intl.DateTimeFormat(undefined, { hour: "numeric" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

/** A label such as "hiphop" or "drum_and_bass" as a heading. */
export function genreName(label) {
  const words = label.replaceAll("_", " ");
  return NAMES[label] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a state document says: its genre, or "unknown" or "silence". */
export function titleOf(document) {
  return document.genre ?? document.state;
}

export function percent(fraction) {
  return `${Math.round(100 * fraction)} %`;
}

/** 45 s, 3 min, 5 h 12 min */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Local time of a Date or of milliseconds since 1970. */
export function clock(time) {
  return CLOCK.format(time);
}

/** 09:05 – 09:12; what is over within the minute has one time. */
export function span(start, end) {
  const [from, to] = [clock(start), clock(end)];
  return from === to ? from : `${from} – ${to}`;
}

/** A whole hour of the local day: 9 PM, or 21. */
export function hour(time) {
  return HOUR.format(time);
}

export function day(time) {
  return DAY.format(time);
}

/** −18.3 dBFS, with a true minus sign. */
export function dbfs(level) {
  return `${level.toFixed(1).replace("-", "−")} dBFS`;
}
