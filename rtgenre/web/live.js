// The live view: genre, bars, level and source of the room that was chosen.

import { colorOf, readable } from "./colors.js";
import { clock, dbfs, duration, genreName, percent, titleOf } from "./format.js";

const METER_FLOOR_DBFS = -60;
const CLIPPING_SHOWN_MS = 4000;
const RECENT = 5;

const root = document.documentElement;
const byId = (id) => document.getElementById(id);

/** Set a text only where it changed, so that nothing is laid out or spoken for no reason. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class LiveView {
  #labels = [];
  #colors = {};
  #bars = new Map();
  #document = null;
  #clippedAt = -Infinity;

  constructor() {
    setInterval(() => this.#tick(), 1000);
    this.#tick();
    document.fonts.ready.then(() => this.#fit());
  }

  hello(hello) {
    this.#colors = hello.colors;
    if (hello.labels.join() !== this.#labels.join()) {
      this.#labels = hello.labels;
      this.#buildBars();
    }
    setText(byId("model"), `${hello.model} ${hello.model_version}`);
    this.recolor();
  }

  /** Show another room from scratch. */
  clear(room, source) {
    this.#document = null;
    this.#clippedAt = -Infinity;
    setText(byId("node"), room);
    setText(byId("source"), source);
    setText(byId("eyebrow"), "Listening …");
    byId("genre").dataset.genre = "";
    for (const id of ["genre", "confidence"]) setText(byId(id), "\u00a0");
    setText(byId("since"), "");
    setText(byId("level-text"), "– dBFS");
    setText(byId("latency"), "–");
    byId("certainty").style.setProperty("--value", 0);
    byId("meter-cover").style.setProperty("--value", 0);
    byId("clipping").hidden = true;
    for (const bar of this.#bars.values()) this.#setBar(bar, 0, 0, false);
    this.recolor();
  }

  show(document) {
    this.#document = document;
    const title = titleOf(document);
    const heading = byId("genre");
    if (heading.dataset.genre !== title) {
      heading.dataset.genre = title;
      setText(heading, genreName(title));
      this.#fit();
      // Restart the entrance.
      heading.classList.remove("enters");
      void heading.offsetWidth;
      heading.classList.add("enters");
      this.recolor();
    }
    setText(byId("eyebrow"), document.state === "music" ? "Now playing" : "Just now");
    setText(byId("confidence"), this.#sureness(document));
    const certain = document.state === "silence" ? 0 : document.confidence;
    byId("certainty").style.setProperty("--value", certain);
    for (const [label, bar] of this.#bars) {
      const smoothed = document.probabilities[label] ?? 0;
      const raw = document.raw_probabilities[label] ?? 0;
      this.#setBar(bar, smoothed, raw, label === document.genre);
    }
    this.#showLevel(document);
    setText(byId("source"), document.source);
    setText(byId("node"), document.node);
    setText(byId("latency"), `${Math.round(document.latency_ms)} ms`);
    this.#tick();
  }

  /** List what was shown before, newest first: [{title, since}]. */
  showRecent(recent) {
    const items = recent.slice(0, RECENT).map(({ title, since }) => {
      const item = document.createElement("li");
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.style.setProperty("--color", colorOf(this.#colors, title));
      item.append(dot, `${genreName(title)} ${clock(since)}`);
      return item;
    });
    byId("recent").replaceChildren(...items);
  }

  /** Colour everything anew, after a change of genre or theme. */
  recolor() {
    const title = byId("genre").dataset.genre || "silence";
    const color = colorOf(this.#colors, title);
    const styles = getComputedStyle(root);
    const surface = styles.getPropertyValue("--surface").trim();
    root.style.setProperty("--genre", color);
    root.style.setProperty("--genre-text", readable(color, surface));
    root.dataset.state = this.#document?.state ?? "none";
    const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="11" fill="${color}"/></svg>`;
    byId("icon").href = `data:image/svg+xml,${encodeURIComponent(icon)}`;
  }

  // Tell the style sheet how wide the word is, for the largest type that it fits in.
  #fit() {
    const heading = byId("genre");
    const context = window.document.createElement("canvas").getContext("2d");
    context.font = `750 100px ${getComputedStyle(heading).fontFamily}`;
    const ems = context.measureText(heading.textContent).width / 100;
    heading.style.setProperty("--ems", Math.max(1, ems));
  }

  #sureness(document) {
    if (document.state === "silence") return "nothing to hear";
    if (document.state === "music") return `${percent(document.confidence)} sure`;
    if (document.music_probability < 0.5) return "does not sound like music";
    const [label] = Object.entries(document.probabilities).sort((a, b) => b[1] - a[1])[0];
    return `perhaps ${genreName(label).toLowerCase()}, ${percent(document.confidence)} sure`;
  }

  #buildBars() {
    this.#bars.clear();
    for (const label of this.#labels) {
      const item = document.createElement("li");
      item.dataset.label = label;
      item.innerHTML =
        '<span class="name"></span><span class="track"><span class="fill"></span><span class="tick"></span></span><span class="value"></span>';
      item.querySelector(".name").textContent = genreName(label);
      this.#bars.set(label, item);
    }
    byId("bars").replaceChildren(...this.#bars.values());
    for (const [label, item] of this.#bars) {
      item.style.setProperty("--color", colorOf(this.#colors, label));
      this.#setBar(item, 0, 0, false);
    }
  }

  #setBar(item, smoothed, raw, shown) {
    item.style.setProperty("--smoothed", smoothed);
    item.style.setProperty("--raw", raw);
    item.classList.toggle("shown", shown);
    setText(item.querySelector(".value"), percent(smoothed));
  }

  #showLevel(document) {
    const share = 1 - Math.max(METER_FLOOR_DBFS, document.level_dbfs) / METER_FLOOR_DBFS;
    byId("meter-cover").style.setProperty("--value", share);
    setText(byId("level-text"), dbfs(document.level_dbfs));
    if (document.clipped_samples > 0) this.#clippedAt = performance.now();
  }

  #tick() {
    setText(byId("clock"), clock(new Date()));
    byId("clipping").hidden = performance.now() - this.#clippedAt > CLIPPING_SHOWN_MS;
    if (this.#document === null) return;
    const since = new Date(this.#document.since);
    const seconds = Math.max(0, (Date.now() - since) / 1000);
    const rounded = seconds < 60 ? 5 * Math.floor(seconds / 5) : seconds;
    const text = `since ${clock(since)} · ${rounded ? duration(rounded) : "just now"}`;
    setText(byId("since"), text);
  }
}
