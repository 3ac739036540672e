// What it hears: columns that scroll from right to left, and the genre band on the same time axis.

import { colorOf } from "./colors.js";
import { colormap } from "./colormap.js";
import { titleOf } from "./format.js";
import { heightOf } from "./mel.js";
import { isJudged } from "./words.js";

const MAX_COLUMNS = 960;
// Columns arrive in bunches and states a little later than their columns; both are drawn late.
const DELAY_SECONDS = 0.25;
// Further off than this, the clocks are matched anew instead of hurrying or waiting.
const MAX_DRIFT_SECONDS = 1.5;
const FREQUENCIES_HZ = [100, 500, 1000, 2000, 5000, 10000];
const BAND_ROWS = 2;
// Smooth to the eye; a wide picture costs more each time, and is drawn two columns at a time.
const DRAWS_PER_SECOND = 20;
const WIDE_DRAWS_PER_SECOND = 12;
const WIDE_PIXELS = 1200;

const byId = (id) => document.getElementById(id);

export class Spectrogram {
  #canvas = byId("spectrogram").getContext("2d", { alpha: false });
  #band = byId("band").getContext("2d");
  #map = colormap("dark");
  #scale = { columns_per_second: 24, n_mels: 128, fmin_hz: 0, fmax_hz: 11025 };
  #windowSeconds = 4;
  #hopSeconds = 2;
  #colors = {};
  // What was drawn, for drawing it anew in other colours: a ring of columns.
  #ring = new Uint8Array(0);
  #drawn = 0;
  #waiting = [];
  // States of the visible time: {endSeconds, shown, raw}; from the history without `raw`.
  #states = [];
  // What was played before, as stretches, and the document that tells their times in seconds.
  #past = [];
  #reference = null;
  // performance.now() in seconds, less the source's clock.
  #clockOffset = null;
  #timer = 0;

  constructor() {
    new ResizeObserver(() => this.#resize()).observe(byId("spectrogram"));
  }

  hello(hello) {
    // What is drawn stays where only genres or colours are others.
    const isOther = JSON.stringify(hello.spectrogram) !== JSON.stringify(this.#scale);
    this.#scale = hello.spectrogram;
    this.#windowSeconds = hello.window_seconds;
    this.#hopSeconds = hello.hop_seconds;
    this.#colors = hello.colors;
    this.#resize(isOther);
    this.#label();
  }

  setTheme(theme) {
    this.#map = colormap(theme);
    this.#redraw();
  }

  start() {
    if (this.#timer) return;
    const isWide = this.#canvas.canvas.clientWidth > WIDE_PIXELS;
    const perSecond = isWide ? WIDE_DRAWS_PER_SECOND : DRAWS_PER_SECOND;
    this.#timer = setInterval(() => this.#draw(), 1000 / perSecond);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#waiting = [];
    this.#clockOffset = null;
  }

  clear() {
    this.#waiting = [];
    this.#states = [];
    this.#past = [];
    this.#reference = null;
    this.#clockOffset = null;
    this.#ring.fill(0);
    this.#redraw();
  }

  addColumn(column) {
    if (!this.#timer) return;
    const offset = performance.now() / 1000 - column.endSeconds;
    if (this.#clockOffset === null || Math.abs(offset - this.#clockOffset) > MAX_DRIFT_SECONDS) {
      // A service that began anew, or a network that was away.
      this.#waiting = [];
      this.#clockOffset = offset;
    }
    // The column that came with the least delay knows best; creep up, should clocks drift apart.
    this.#clockOffset = Math.min(offset, this.#clockOffset + 0.0001);
    this.#waiting.push(column);
  }

  /** Show what was played before the first state, from the history. */
  setPast(stretches) {
    this.#past = stretches;
    this.#prefill();
  }

  addState(document) {
    const endSeconds = document.window_end_seconds;
    if (this.#states.length && endSeconds < this.#states.at(-1).endSeconds) this.#states = [];
    this.#reference ??= { endSeconds, time: Date.parse(document.time) };
    const [[likeliest]] = Object.entries(document.raw_probabilities).sort((a, b) => b[1] - a[1]);
    // A hum has a likeliest genre, too; it would mislead.
    const raw = isJudged(document) ? likeliest : titleOf(document);
    this.#states.push({ endSeconds, shown: titleOf(document), raw });
    if (this.#states.length === 1) this.#prefill();
    const visible = this.#columns / this.#scale.columns_per_second + 2 * this.#hopSeconds;
    while (this.#states.length > 1 && this.#states[1].endSeconds < endSeconds - visible) {
      this.#states.shift();
    }
  }

  #prefill() {
    if (this.#reference === null) return;
    const own = this.#states.filter(({ raw }) => raw !== null);
    const { endSeconds, time } = this.#reference;
    const secondsOf = (moment) => endSeconds - (time - moment) / 1000;
    const before = this.#past
      .flatMap(({ genre, start, end }) => [
        { endSeconds: secondsOf(start), shown: genre, raw: null },
        { endSeconds: secondsOf(end), shown: null, raw: null },
      ])
      .filter((state) => own.length === 0 || state.endSeconds < own[0].endSeconds);
    this.#states = [...before, ...own];
  }

  get #columns() {
    return this.#canvas.canvas.width;
  }

  #resize(force = false) {
    const { canvas } = this.#canvas;
    const columns = Math.min(MAX_COLUMNS, Math.round(canvas.clientWidth));
    const rows = this.#scale.n_mels;
    if (columns === 0 || (!force && columns === canvas.width && rows === canvas.height)) return;
    if (this.#timer) {
      this.stop();
      this.start();
    }
    canvas.width = columns;
    canvas.height = rows;
    this.#band.canvas.width = columns;
    this.#band.canvas.height = BAND_ROWS;
    this.#ring = new Uint8Array(columns * rows);
    this.#drawn = 0;
    this.#label();
    this.#redraw();
  }

  #label() {
    const rate = this.#scale.columns_per_second;
    const visibleSeconds = this.#columns / rate;
    byId("plot").style.setProperty("--window-share", this.#windowSeconds / visibleSeconds);
    const frequencies = FREQUENCIES_HZ.filter((hz) => hz < this.#scale.fmax_hz).map((hz) =>
      mark(hz < 1000 ? `${hz}` : `${hz / 1000}k`, heightOf(hz, this.#scale)),
    );
    byId("frequencies").replaceChildren(...frequencies);
    const step = visibleSeconds > 25 ? 10 : 5;
    const seconds = [mark("now", 1)];
    for (let ago = step; ago < visibleSeconds - 1; ago += step) {
      seconds.push(mark(`−${ago} s`, 1 - ago / visibleSeconds));
    }
    byId("seconds").replaceChildren(...seconds);
  }

  #draw() {
    if (this.#clockOffset === null) return;
    const nowSeconds = performance.now() / 1000 - this.#clockOffset - DELAY_SECONDS;
    let due = 0;
    while (due < this.#waiting.length && this.#waiting[due].endSeconds <= nowSeconds) due += 1;
    if (due > 0) this.#scroll(this.#waiting.splice(0, due));
    this.#drawBand(nowSeconds);
  }

  #scroll(columns) {
    const newest = columns.slice(-this.#columns);
    const count = newest.length;
    const rows = this.#scale.n_mels;
    this.#canvas.drawImage(this.#canvas.canvas, -count, 0);
    const image = this.#canvas.createImageData(count, rows);
    newest.forEach(({ values }, x) => {
      this.#ring.set(values.subarray(0, rows), (this.#drawn % this.#columns) * rows);
      this.#drawn += 1;
      this.#paint(image, x, values);
    });
    this.#canvas.putImageData(image, this.#columns - count, 0);
  }

  #paint(image, x, values) {
    const pixels = new Uint32Array(image.data.buffer);
    const rows = image.height;
    for (let band = 0; band < rows; band += 1) {
      pixels[(rows - 1 - band) * image.width + x] = this.#map[values[band]];
    }
  }

  #redraw() {
    const [columns, rows] = [this.#columns, this.#scale.n_mels];
    if (this.#ring.length !== columns * rows) return;
    const image = this.#canvas.createImageData(columns, rows);
    for (let x = 0; x < columns; x += 1) {
      const at = ((this.#drawn + x) % columns) * rows;
      this.#paint(image, x, this.#ring.subarray(at, at + rows));
    }
    this.#canvas.putImageData(image, 0, 0);
    this.#band.clearRect(0, 0, columns, BAND_ROWS);
  }

  // Above, each window's likeliest genre over the hop it added; below, what was shown from its end.
  #drawBand(nowSeconds) {
    const rate = this.#scale.columns_per_second;
    const xOf = (seconds) => Math.round(this.#columns - (nowSeconds - seconds) * rate);
    this.#band.clearRect(0, 0, this.#columns, BAND_ROWS);
    this.#states.forEach(({ endSeconds, shown, raw }, i) => {
      const end = xOf(endSeconds);
      const next = this.#states[i + 1] ? xOf(this.#states[i + 1].endSeconds) : this.#columns;
      const start = xOf(endSeconds - this.#hopSeconds);
      if (raw !== null) {
        this.#band.fillStyle = colorOf(this.#colors, raw);
        this.#band.fillRect(start, 0, Math.min(end, this.#columns) - start - 1, 1);
      }
      if (shown === null || next <= end) return;
      this.#band.fillStyle = colorOf(this.#colors, shown);
      this.#band.fillRect(end, 1, next - end, 1);
    });
  }
}

function mark(text, share) {
  const element = document.createElement("span");
  element.textContent = text;
  element.style.setProperty("--share", share);
  return element;
}
