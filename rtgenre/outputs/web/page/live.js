// The live view: genre, bars, level and source of the room that was chosen.

import { GenreBars } from "./bars.js";
import { colorOf, readable } from "./colors.js";
import { clock, dbfs, duration, genreName, percent, titleOf } from "./format.js";
import { cut, shares } from "./history-data.js";
import { paintStretches } from "./paint.js";
import { now } from "./service-time.js";
import { setText } from "./set-text.js";
import {
  headline,
  isDemo,
  isJudged,
  modelName,
  NO_SOUND,
  secondGuess,
  sourceName,
  stretchName,
  sureness,
} from "./words.js";

const METER_FLOOR_DBFS = -60;
const CLIPPING_SHOWN_MS = 4000;
const RECENT = 5;
const STRIP_MS = 30 * 60e3;

const root = document.documentElement;
const byId = (id) => document.getElementById(id);

export class LiveView {
  #colors = {};
  #bars = new GenreBars(byId("bars"));
  #document = null;
  #clippedAt = -Infinity;
  #past = null;

  constructor() {
    new ResizeObserver(() => this.#paintStrip()).observe(byId("strip"));
    setInterval(() => this.#tick(), 1000);
    this.#tick();
    document.fonts.ready.then(() => this.#fit());
  }

  hello(hello) {
    this.#colors = hello.colors;
    this.#bars.hello(hello);
    setText(byId("window-seconds"), `last ${hello.window_seconds} s alone`);
    setText(byId("model"), modelName(hello.model, hello.model_version));
    byId("model").title = `${hello.model} ${hello.model_version}`;
    this.recolor();
  }

  /** Show another room from scratch. */
  clear(room, source) {
    this.#document = null;
    this.#clippedAt = -Infinity;
    setText(byId("node"), room);
    setText(byId("room-name"), room);
    this.#showSource(source);
    setText(byId("eyebrow"), "Listening …");
    byId("genre").dataset.genre = "";
    for (const id of ["genre-name", "confidence"]) setText(byId(id), "\u00a0");
    for (const id of ["title", "artist", "second", "since"]) setText(byId(id), "");
    setText(byId("level-text"), "– dBFS");
    setText(byId("latency"), "–");
    byId("certainty").style.setProperty("--value", 0);
    byId("meter-cover").style.setProperty("--value", 0);
    byId("clipping").hidden = true;
    this.#bars.clear();
    this.recolor();
  }

  /** Show that the input has ended or is lost, and what it played last, where that is known. */
  showGone(room, source, lastHeard) {
    this.clear(room, source);
    setText(byId("eyebrow"), lastHeard ? `Last heard: ${headline(lastHeard)}` : "");
    byId("genre").dataset.genre = "silence";
    setText(byId("genre-name"), NO_SOUND);
    this.#fit();
  }

  show(document) {
    this.#document = document;
    const heading = byId("genre");
    const text = headline(document);
    if (heading.textContent !== text) {
      heading.dataset.genre = titleOf(document);
      setText(byId("genre-name"), text);
      this.#fit();
      // Restart the entrance.
      heading.classList.remove("enters");
      void heading.offsetWidth;
      heading.classList.add("enters");
      this.recolor();
    }
    setText(byId("eyebrow"), document.state === "music" ? "Now playing" : "Just now");
    for (const id of ["title", "artist"]) {
      setText(byId(id), document[id] ?? "");
      byId(id).title = document[id] ?? "";
    }
    setText(byId("confidence"), sureness(document));
    const second = secondGuess(document);
    setText(byId("second"), second ? `or ${genreName(second[0])}, ${percent(second[1])}` : "");
    const certain = isJudged(document) ? document.confidence : 0;
    byId("certainty").style.setProperty("--value", certain);
    this.#bars.show(document);
    this.#showLevel(document);
    this.#showSource(document.source);
    setText(byId("latency"), `${Math.round(document.latency_ms)} ms`);
    this.#tick();
  }

  /** Show what was played before, in words and as a strip of the last half hour. */
  showPast(past) {
    this.#past = past;
    const items = past.before.slice(0, RECENT).map((stretch) => {
      const item = document.createElement("li");
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.style.setProperty("--color", colorOf(this.#colors, stretch.genre));
      item.append(dot, `${stretchName(stretch)} ${clock(stretch.start)}`);
      return item;
    });
    byId("recent").replaceChildren(...items);
    this.#paintStrip();
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
    this.#bars.recolor();
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

  #paintStrip() {
    const to = this.#past?.stretches.at(-1)?.end ?? now();
    const span = { from: to - STRIP_MS, to };
    const stretches = cut(this.#past?.stretches ?? [], span.from, span.to);
    paintStretches(byId("strip"), span, stretches, this.#colors);
    const music = shares(stretches).map(
      ({ genre, ms }) => `${genreName(genre)} ${duration(ms / 1000)}`,
    );
    const text = `The last half hour: ${music.join(", ") || "no music"}`;
    if (byId("strip").getAttribute("aria-label") !== text) {
      byId("strip").setAttribute("aria-label", text);
    }
  }

  #showSource(source) {
    setText(byId("source"), sourceName(source));
    byId("demo").hidden = !isDemo(source);
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
    const seconds = Math.max(0, (now() - since) / 1000);
    const rounded = seconds < 60 ? 5 * Math.floor(seconds / 5) : seconds;
    const text = `since ${clock(since)} · ${rounded ? duration(rounded) : "just now"}`;
    setText(byId("since"), text);
  }
}
