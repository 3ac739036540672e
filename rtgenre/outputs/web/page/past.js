// What one room has played: stretches from the history, and what came since the page was opened.

import { titleOf } from "./format.js";

// As in the history: a stretch does not reach across a longer time without a word.
const GAP_MS = 15e3;
/** How far back it reaches. */
export const PAST_HOURS = 12;

export class Past {
  // {genre, reason, start, end} in milliseconds since 1970, oldest first; what this page heard itself
  // begins at #ownSince.
  #stretches = [];
  #ownSince = Infinity;

  get stretches() {
    return this.#stretches;
  }

  /** What was shown before the present, newest first. */
  get before() {
    return this.#stretches.slice(0, -1).reverse();
  }

  /** Take in a state document, in the order of time. */
  add(document) {
    const time = Date.parse(document.time);
    const genre = titleOf(document);
    const { reason } = document;
    if (this.#ownSince === Infinity) this.#ownSince = time;
    const last = this.#stretches.at(-1);
    const goesOn = last !== undefined && time - last.end <= GAP_MS;
    if (goesOn) last.end = Math.max(last.end, time);
    if (goesOn && last.genre === genre) return;
    const start = last === undefined ? Date.parse(document.since) : time;
    this.#stretches.push({ genre, reason, start, end: time });
    while (this.#stretches[0].end < time - PAST_HOURS * 3600e3) this.#stretches.shift();
  }

  /** The connection was lost: what follows may leave something out, until `fill`. */
  begin() {
    this.#ownSince = Infinity;
  }

  /** Begin anew, with nothing. */
  clear() {
    this.#stretches = [];
    this.begin();
  }

  /** Take what came before from the history. */
  fill(stretches) {
    const own = this.#stretches.filter(({ end }) => end >= this.#ownSince);
    const older = stretches
      .filter(({ start }) => start < this.#ownSince)
      .map((each) => ({ ...each, end: Math.min(each.end, this.#ownSince) }));
    if (older.length && own.length) own[0].start = Math.max(own[0].start, this.#ownSince);
    this.#stretches = joined([...older, ...own]);
  }
}

/** Stretches of one genre that follow each other without a gap, as one. */
function joined(stretches) {
  const result = [];
  for (const { genre, reason, start, end } of stretches) {
    const last = result.at(-1);
    if (last?.genre === genre && start - last.end <= GAP_MS) last.end = Math.max(last.end, end);
    else result.push({ genre, reason, start, end });
  }
  return result;
}
