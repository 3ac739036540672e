// Hours by weekday: the genre that led, the stronger the more of the hour had music.

import { colorOf } from "./colors.js";
import { clock, duration, genreName, hour as hourName, percent } from "./format.js";
import { byHour, HOUR_MS, shares } from "./history-data.js";
import { hideTooltip, showTooltip } from "./tooltip.js";

// 1 January 2024 was a Monday.
const WEEKDAYS = Array.from({ length: 7 }, (_, i) => new Date(2024, 0, 1 + i));
const SHORT = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const LONG = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const FAINTEST = 0.25;
// A label stands above so many hours.
const LABELLED_HOURS = 3;

/** A moment at this hour of a day without a change of time. */
function at(hour) {
  return new Date(2024, 0, 1, hour);
}

export class HeatMap {
  #table;
  #cells = [];

  constructor(table) {
    this.#table = table;
    this.#build();
    table.addEventListener("pointerleave", hideTooltip);
    table.addEventListener("focusout", hideTooltip);
    table.addEventListener("keydown", (event) => this.#move(event));
  }

  show(stretches, colors) {
    byHour(stretches).forEach((hours, weekday) => {
      hours.forEach((parts, hour) => this.#showCell(weekday, hour, shares(parts), colors));
    });
  }

  #showCell(weekday, hour, parts, colors) {
    const cell = this.#cells[weekday][hour];
    const ms = parts.reduce((sum, part) => sum + part.ms, 0);
    const when = `${LONG.format(WEEKDAYS[weekday])}, ${clock(at(hour))} – ${clock(at(hour + 1))}`;
    const lines = [when];
    if (ms === 0) lines.push("no music");
    else lines.push(`${duration(ms / 1000)} of music`);
    for (const { genre, share } of parts.slice(0, 3)) {
      lines.push(`${genreName(genre)} ${percent(share)}`);
    }
    const color = parts.length ? colorOf(colors, parts[0].genre) : "transparent";
    const strength = ms === 0 ? 0 : FAINTEST + (1 - FAINTEST) * Math.min(1, ms / HOUR_MS);
    cell.style.setProperty("--color", color);
    cell.style.setProperty("--strength", strength);
    cell.firstChild.textContent = lines.join(", ");
    cell.tell = () => {
      const { left, top, width } = cell.getBoundingClientRect();
      showTooltip(left + width / 2, top, color, lines);
    };
  }

  #build() {
    const head = this.#table.createTHead().insertRow();
    head.append(document.createElement("td"));
    for (let hour = 0; hour < 24; hour += LABELLED_HOURS) {
      const th = document.createElement("th");
      th.scope = "colgroup";
      th.colSpan = LABELLED_HOURS;
      th.textContent = hourName(at(hour));
      head.append(th);
    }
    const body = this.#table.createTBody();
    this.#cells = WEEKDAYS.map((date) => {
      const row = body.insertRow();
      const th = document.createElement("th");
      th.scope = "row";
      th.textContent = SHORT.format(date);
      row.append(th);
      return Array.from({ length: 24 }, () => this.#buildCell(row));
    });
    this.#cells[0][0].tabIndex = 0;
  }

  #buildCell(row) {
    const cell = row.insertCell();
    const text = document.createElement("span");
    text.className = "visually-hidden";
    cell.append(text);
    cell.tabIndex = -1;
    cell.addEventListener("pointerenter", () => cell.tell?.());
    cell.addEventListener("focus", () => cell.tell?.());
    return cell;
  }

  #move(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const weekday = this.#cells.findIndex((row) => row.includes(event.target));
    if (step === undefined || weekday < 0) return;
    event.preventDefault();
    const hour = this.#cells[weekday].indexOf(event.target);
    const next = this.#cells[(weekday + step[0] + 7) % 7][(hour + step[1] + 24) % 24];
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
