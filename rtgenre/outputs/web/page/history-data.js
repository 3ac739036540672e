// Stretches of the history, cut, added up and arranged; pure. Times are milliseconds since 1970.

export const NOT_MUSIC = new Set(["unknown", "silence"]);
export const HOUR_MS = 3600e3;
export const DAY_MS = 24 * HOUR_MS;

export function parse(document) {
  return document.stretches.map((stretch) => ({
    ...stretch,
    start: Date.parse(stretch.start),
    end: Date.parse(stretch.end),
  }));
}

/** The parts that lie between two times. */
export function cut(stretches, from, to) {
  return stretches
    .filter(({ start, end }) => end > from && start < to)
    .map((s) => ({ ...s, start: Math.max(s.start, from), end: Math.min(s.end, to) }));
}

/** [{genre, ms, share}] of the music, most first. */
export function shares(stretches) {
  const totals = new Map();
  for (const { genre, start, end } of stretches) {
    if (!NOT_MUSIC.has(genre)) totals.set(genre, (totals.get(genre) ?? 0) + end - start);
  }
  const music = [...totals.values()].reduce((sum, ms) => sum + ms, 0);
  return [...totals]
    .map(([genre, ms]) => ({ genre, ms, share: ms / music }))
    .sort((a, b) => b.ms - a.ms);
}

/** Local midnight of the day that a time lies in, some days later. */
export function midnight(time, daysLater = 0) {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + daysLater).getTime();
}

/** heat[weekday][hour] = stretches of that hour; weekday 0 is Monday. */
export function byHour(stretches) {
  const heat = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => []));
  for (const stretch of stretches) {
    for (let from = stretch.start; from < stretch.end; ) {
      const date = new Date(from);
      const next = date.setMinutes(60, 0, 0);
      const at = new Date(from);
      const part = { ...stretch, start: from, end: Math.min(next, stretch.end) };
      heat[(at.getDay() + 6) % 7][at.getHours()].push(part);
      from = next;
    }
  }
  return heat;
}

/**
 * Rows of a timeline, each {from, to, day?}: the last hour, the last day, one calendar day, or a
 * week in days, newest first.
 */
export function rowsOf(range, now) {
  if (range.name === "hour") return [{ from: now - HOUR_MS, to: now }];
  if (range.name === "day" && range.day === null) return [{ from: now - DAY_MS, to: now }];
  if (range.name === "day") return [{ from: range.day, to: midnight(range.day, 1) }];
  return [0, 1, 2, 3, 4, 5, 6].map((ago) => {
    const from = midnight(now, -ago);
    return { from, to: midnight(now, 1 - ago), day: from };
  });
}
