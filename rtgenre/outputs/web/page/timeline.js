// Rows of time coloured by genre, on canvases: a week has tens of thousands of stretches.

import { colorOf } from "./colors.js";
import { clock, day, duration, genreName, hour, percent, span } from "./format.js";
import { cut, HOUR_MS, midnight, NOT_MUSIC, shares } from "./history-data.js";
import { paintStretches } from "./paint.js";
import { now } from "./service-time.js";
import { hideTooltip, showTooltip } from "./tooltip.js";
import { played, stretchName } from "./words.js";

const HOUR_STEP_MS = 10 * 60e3;
const DAY_STEP_MS = 3 * HOUR_MS;

export class Timeline {
  #element;
  #rows = [];
  #stretches = [];
  #colors = {};
  #zoom;

  /** `zoom` is called with a day's midnight when its label is pressed. */
  constructor(element, zoom) {
    this.#element = element;
    this.#zoom = zoom;
    new ResizeObserver(() => this.draw()).observe(element);
  }

  show(rows, stretches, colors) {
    const same =
      rows.length === this.#rows.length && rows.every((row, i) => row.day === this.#rows[i].day);
    this.#rows = rows;
    this.#stretches = rows.map(({ from, to }) => cut(stretches, from, to));
    this.#colors = colors;
    if (!same || this.#element.children.length === 0) this.#build();
    this.draw();
  }

  draw() {
    const elements = this.#element.querySelectorAll(".row");
    this.#rows.forEach((row, i) => {
      paintStretches(elements[i].querySelector("canvas"), row, this.#stretches[i], this.#colors);
      this.#describe(elements[i], row, this.#stretches[i]);
    });
    this.#drawAxis();
  }

  #build() {
    const rows = this.#rows.map((row, index) => {
      const element = document.createElement("div");
      element.className = "row";
      if (row.day !== undefined) {
        const label = document.createElement("button");
        label.type = "button";
        label.className = "row-label";
        label.addEventListener("click", () => this.#zoom(row.day));
        element.append(label);
      }
      const canvas = document.createElement("canvas");
      canvas.tabIndex = 0;
      canvas.setAttribute("role", "img");
      this.#listen(canvas, index);
      element.append(canvas);
      return element;
    });
    const axis = document.createElement("div");
    axis.className = "row axis-row";
    axis.innerHTML = '<div class="axis" aria-hidden="true"></div>';
    this.#element.replaceChildren(...rows, axis);
    this.#element.dataset.rows = rows.length;
  }

  #describe(element, row, stretches) {
    const parts = shares(stretches).slice(0, 3);
    const music = parts.map(({ genre, ms }) => `${genreName(genre)} ${duration(ms / 1000)}`);
    const isToday = row.day === midnight(now());
    const label = isToday ? "Today" : day(row.from);
    const text = element.querySelector("button.row-label");
    if (text && text.textContent !== label) {
      text.textContent = label;
      text.setAttribute("aria-label", `Show ${label} alone`);
    }
    element
      .querySelector("canvas")
      .setAttribute("aria-label", `${row.day === undefined ? `Since ${label}, ${clock(row.from)}` : label}: ${music.join(", ") || "no music"}`);
  }

  #drawAxis() {
    const axis = this.#element.querySelector(".axis");
    if (axis === null || this.#rows.length === 0) return;
    const { from, to } = this.#rows[0];
    const step = to - from > HOUR_MS ? DAY_STEP_MS : HOUR_STEP_MS;
    // Ticks at round times of the local day.
    const first = midnight(from);
    const marks = [];
    for (let time = first + Math.ceil((from - first) / step) * step; time <= to; time += step) {
      const element = document.createElement("span");
      element.textContent = step === DAY_STEP_MS ? hour(time) : clock(time);
      element.style.setProperty("--share", (time - from) / (to - from));
      marks.push(element);
    }
    axis.replaceChildren(...marks);
  }

  #listen(canvas, index) {
    const under = (x) => {
      const { left, width } = canvas.getBoundingClientRect();
      const { from, to } = this.#rows[index];
      const time = from + ((x - left) / width) * (to - from);
      const slack = ((to - from) / width) * 2;
      return this.#stretches[index].findIndex((s) => s.end >= time - slack && s.start <= time);
    };
    let at = -1;
    canvas.addEventListener("pointermove", ({ clientX }) => this.#tell(canvas, index, under(clientX)));
    canvas.addEventListener("pointerdown", ({ clientX }) => this.#tell(canvas, index, under(clientX)));
    canvas.addEventListener("pointerleave", hideTooltip);
    canvas.addEventListener("blur", hideTooltip);
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") hideTooltip();
      if (step === undefined) return;
      event.preventDefault();
      const count = this.#stretches[index].length;
      at = at < 0 && step < 0 ? count - 1 : Math.min(count - 1, Math.max(0, at + step));
      document.getElementById("announcer").textContent = this.#tell(canvas, index, at).join(", ");
    });
  }

  #tell(canvas, index, at) {
    const stretch = this.#stretches[index][at];
    if (stretch === undefined) {
      hideTooltip();
      return ["nothing was heard"];
    }
    const { left, top, width } = canvas.getBoundingClientRect();
    const { from, to } = this.#rows[index];
    const middle = (stretch.start + stretch.end) / 2;
    const lines = [
      stretchName(stretch),
      `${span(stretch.start, stretch.end)} · ${duration((stretch.end - stretch.start) / 1000)}`,
    ];
    if (!NOT_MUSIC.has(stretch.genre)) lines.push(`${percent(stretch.confidence)} sure on average`);
    if (played(stretch)) lines.push(played(stretch));
    const x = left + ((middle - from) / (to - from)) * width;
    showTooltip(x, top, colorOf(this.#colors, stretch.genre), lines);
    return lines;
  }
}
