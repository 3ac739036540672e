// What was heard as a table, newest first: for reading, for screen readers, and for deleting.

import { colorOf } from "./colors.js";
import { day, duration, percent, span } from "./format.js";
import { midnight, NOT_MUSIC } from "./history-data.js";
import { now } from "./service-time.js";
import { played, stretchName } from "./words.js";

const ROWS_AT_ONCE = 25;

export class StretchList {
  #body;
  #more;
  #remove;
  #stretches = [];
  #colors = {};
  #wanted = ROWS_AT_ONCE;

  /** `remove` is called with a stretch that is to be deleted; `more` is the button for older ones. */
  constructor(body, more, remove) {
    this.#body = body;
    this.#more = more;
    this.#remove = remove;
    more.addEventListener("click", () => {
      const first = this.#wanted;
      this.#wanted += 4 * ROWS_AT_ONCE;
      this.#build();
      this.#buttons[first]?.focus();
    });
  }

  /** Begin with the newest rows again, for another time or room. */
  reset() {
    this.#wanted = ROWS_AT_ONCE;
  }

  show(stretches, colors) {
    const newestFirst = [...stretches].reverse();
    const told = (list) => list.map(({ start, end, genre }) => `${start} ${end} ${genre}`).join();
    const same = colors === this.#colors && told(newestFirst) === told(this.#stretches);
    this.#stretches = newestFirst;
    this.#colors = colors;
    // A row that somebody is about to press stays where it is.
    if (!same || this.#body.children.length === 0) this.#build();
  }

  #build() {
    // Who moves through the rows by keyboard stays where he is, also after a deletion.
    const focused = this.#buttons.indexOf(document.activeElement);
    const rows = [];
    let shownDay = null;
    for (const stretch of this.#stretches.slice(0, this.#wanted)) {
      if (midnight(stretch.start) !== shownDay) {
        shownDay = midnight(stretch.start);
        rows.push(dayRow(shownDay));
      }
      rows.push(this.#row(stretch));
    }
    this.#body.replaceChildren(...(rows.length ? rows : [emptyRow()]));
    this.#more.hidden = this.#stretches.length <= this.#wanted;
    if (focused >= 0) this.#buttons[Math.min(focused, this.#buttons.length - 1)]?.focus();
  }

  get #buttons() {
    return [...this.#body.querySelectorAll("button")];
  }

  #row(stretch) {
    const { genre, start, end, confidence } = stretch;
    const row = document.createElement("tr");
    row.innerHTML =
      '<td class="time"></td><td class="heard"><span class="dot"></span></td><td class="time"></td><td class="time sure"></td><td><button type="button" class="row-button" data-one-press></button></td>';
    const [when, heard, length, sure, last] = row.cells;
    const times = span(start, end);
    const name = stretchName(stretch);
    when.textContent = times;
    heard.append(name);
    if (played(stretch)) heard.append(playedLine(stretch));
    heard.firstChild.style.setProperty("--color", colorOf(this.#colors, genre));
    length.textContent = duration((end - start) / 1000);
    sure.textContent = NOT_MUSIC.has(genre) ? "–" : percent(confidence);
    last.firstChild.textContent = "Delete";
    last.firstChild.setAttribute("aria-label", `Delete ${name}, ${times}`);
    last.firstChild.addEventListener("click", () => this.#remove(stretch));
    return row;
  }
}

function playedLine(stretch) {
  const line = document.createElement("span");
  line.className = "played";
  line.textContent = played(stretch);
  return line;
}

function dayRow(time) {
  const row = document.createElement("tr");
  row.className = "day-row";
  row.innerHTML = '<th colspan="5" scope="rowgroup"></th>';
  row.firstChild.textContent = time === midnight(now()) ? "Today" : day(time);
  return row;
}

function emptyRow() {
  const row = document.createElement("tr");
  row.innerHTML = '<td colspan="5">Nothing was heard in this time.</td>';
  return row;
}
