// The history view: the last hour, day or week of the room that was chosen.

import { colorOf } from "./colors.js";
import { confirmed } from "./confirm.js";
import { day, duration, genreName, percent, span } from "./format.js";
import { cut, DAY_MS, midnight, NOT_MUSIC, parse, rowsOf, shares } from "./history-data.js";
import { HeatMap } from "./heatmap.js";
import { Hint } from "./hint.js";
import { now, setByHistory } from "./service-time.js";
import { StretchList } from "./stretch-list.js";
import { Timeline } from "./timeline.js";
import { get } from "./token.js";
import { stretchName } from "./words.js";

const REFRESH_MS = 60e3;
const KEPT_DAYS = 7;

const weekStart = () => midnight(now(), 1 - KEPT_DAYS);
const byId = (id) => document.getElementById(id);

export class HistoryView {
  #room = "";
  // What people call it.
  #name = "";
  #colors = {};
  // `day` is a calendar day's midnight, or null for the last 24 hours.
  #range = { name: "hour", day: null };
  // Of the last seven days; and of a day before them, if that is looked at.
  #stretches = [];
  #older = [];
  #hint = new Hint(byId("timeline-hint"));
  #loads = 0;
  #visible = false;
  #timer = 0;
  #timeline = new Timeline(byId("timeline"), (time) => this.#choose({ name: "day", day: time }));
  #heat = new HeatMap(byId("heat"));
  #list = new StretchList(byId("stretches"), byId("more"), (stretch) => this.#deleteOne(stretch));
  #chosen;
  #deleted;

  /** `chosen` is called with the range that somebody chose, `deleted` when something is gone. */
  constructor(chosen, deleted) {
    this.#chosen = chosen;
    this.#deleted = deleted;
    for (const button of document.querySelectorAll("[data-range]")) {
      const name = button.dataset.range;
      button.addEventListener("click", () => this.#choose({ name, day: null }));
    }
    byId("csv").addEventListener("click", () => this.#download());
    byId("delete-all").addEventListener("click", () => this.#deleteAll());
  }

  get range() {
    return this.#range;
  }

  hello(hello) {
    this.#colors = hello.colors;
  }

  setRoom({ node, name }) {
    this.#name = name;
    if (node !== this.#room) {
      this.#room = node;
      this.#list.reset();
      this.#stretches = [];
      this.#older = [];
      this.#hint.setProblem("");
      this.#hint.tell("");
      // Nothing of another room can be deleted as if it were this one's.
      this.redraw();
    }
    if (this.#visible) this.#load();
  }

  setVisible(visible) {
    this.#visible = visible;
    clearInterval(this.#timer);
    if (!visible) {
      this.#hint.tell("");
      return;
    }
    this.#timer = setInterval(() => this.#load(), REFRESH_MS);
    this.#load();
  }

  redraw() {
    if (this.#visible) this.#show();
  }

  #choose(range) {
    this.setRange(range);
    this.#chosen(range);
  }

  /** Show `{name, day}`: the last hour, day or week, or the day that begins at `day`. */
  setRange(range) {
    this.#range = range;
    this.#list.reset();
    for (const button of document.querySelectorAll("[data-range]")) {
      button.setAttribute("aria-pressed", button.dataset.range === range.name);
    }
    this.redraw();
  }

  async #load() {
    if (!this.#room) return;
    const load = ++this.#loads;
    const week = weekStart();
    const { from, to } = this.#span();
    let [stretches, older] = [this.#stretches, this.#older];
    let problem;
    try {
      const answers = [this.#fetch(week)];
      if (from < week) answers.push(this.#fetch(from, to));
      const [newest, day] = await Promise.all(answers);
      if (load === this.#loads) setByHistory(newest);
      stretches = parse(newest);
      older = day ? parse(day) : [];
      problem = newest.problem ?? "";
    } catch (error) {
      const isOff = error.status === 404;
      problem = isOff ? "This service keeps no history." : `No history: ${error.message}`;
    }
    // Another room may be shown by now, or a newer list be on its way.
    if (load !== this.#loads) return;
    this.#stretches = stretches;
    this.#older = older;
    this.#hint.setProblem(problem);
    this.#show();
  }

  async #fetch(since, until = null) {
    const query = new URLSearchParams({ since: new Date(since).toISOString(), node: this.#room });
    if (until !== null) query.set("until", new Date(until).toISOString());
    return (await get(`history?${query}`)).json();
  }

  #span() {
    const rows = rowsOf(this.#range, now());
    const from = Math.min(...rows.map((row) => row.from));
    const to = Math.max(...rows.map((row) => row.to));
    return { rows, from, to };
  }

  #show() {
    const { rows, from, to } = this.#span();
    byId("timeline-title").textContent = this.#title();
    const stretches = [...this.#older, ...this.#stretches];
    const within = stretches.filter(({ start, end }) => end > from && start < to);
    const parts = shares(cut(within, from, to));
    this.#timeline.show(rows, stretches, this.#colors);
    this.#showLegend(parts);
    this.#showShares(parts);
    this.#heat.show(this.#stretches, this.#colors);
    this.#list.show(within, this.#colors);
    byId("list-count").textContent = within.length ? `${within.length} in this time` : "";
    byId("delete-all").disabled = within.length === 0;
  }

  #title() {
    const { name, day: time } = this.#range;
    if (name === "hour") return "Last hour";
    if (name === "week") return "Last seven days";
    if (time === null) return "Last 24 hours";
    const ago = Math.round((midnight(now()) - midnight(time)) / DAY_MS);
    return ["Today", "Yesterday"][ago] ?? day(time);
  }

  #showLegend(parts) {
    const items = [...parts.map(({ genre }) => genre), ...NOT_MUSIC].map((genre) => {
      const item = document.createElement("li");
      const key = document.createElement("span");
      key.className = NOT_MUSIC.has(genre) ? "key" : "dot";
      key.dataset.genre = genre;
      key.style.setProperty("--color", colorOf(this.#colors, genre));
      item.append(key, genre === "unknown" ? "Unknown or no music" : genreName(genre));
      return item;
    });
    byId("legend").replaceChildren(...items);
  }

  #showShares(parts) {
    const ms = parts.reduce((sum, part) => sum + part.ms, 0);
    byId("total").textContent = ms ? `${duration(ms / 1000)} of music` : "no music in this time";
    const items = parts.map(({ genre, ms: genreMs, share }) => {
      const item = document.createElement("li");
      item.innerHTML =
        '<span class="name"></span><span class="track"><span class="fill"></span></span><span class="value"></span><span class="time"></span>';
      item.querySelector(".name").textContent = genreName(genre);
      item.querySelector(".value").textContent = percent(share);
      item.querySelector(".time").textContent = duration(genreMs / 1000);
      item.style.setProperty("--color", colorOf(this.#colors, genre));
      item.style.setProperty("--smoothed", share);
      return item;
    });
    byId("shares").replaceChildren(...items);
  }

  #deleteOne(stretch) {
    const { start, end } = stretch;
    const what = `${stretchName(stretch)}, ${day(start)}, ${span(start, end)}`;
    return this.#delete(start, end, `${what}. This cannot be undone.`);
  }

  #deleteAll() {
    const { from, to } = this.#span();
    const what = `Everything in “${this.#title()}”, room ${this.#name}`;
    return this.#delete(from, Math.min(to, now()), `${what}. This cannot be undone.`);
  }

  async #delete(from, to, question) {
    const room = this.#room;
    if (!(await confirmed(question))) return;
    const query = new URLSearchParams({
      since: new Date(from).toISOString(),
      until: new Date(to).toISOString(),
      node: room,
    });
    try {
      await get(`history?${query}`, "DELETE");
    } catch (error) {
      this.#hint.tell(`It cannot be deleted: ${error.message}`);
      return;
    }
    this.#hint.tell("");
    byId("announcer").textContent = "Deleted";
    this.#deleted(room);
    await this.#load();
  }

  async #download() {
    const { from, to } = this.#span();
    const name = `rtgenre-${this.#room}-${this.#range.name}.csv`;
    const query = new URLSearchParams({
      since: new Date(from).toISOString(),
      until: new Date(to).toISOString(),
      node: this.#room,
      format: "csv",
    });
    this.#hint.tell("");
    try {
      const response = await get(`history?${query}`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await response.blob());
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    } catch (error) {
      this.#hint.tell(`The CSV cannot be made: ${error.message}`);
    }
  }
}
