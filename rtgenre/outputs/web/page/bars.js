// A bar for every genre, one for other music, and one for what is no music.

import { colorOf } from "./colors.js";
import { genreName, percent } from "./format.js";
import { isJudged } from "./words.js";

const OTHER_MUSIC = "other music";
const NO_MUSIC = "no music";

export class GenreBars {
  #element;
  #rows = new Map();
  #colors = {};

  constructor(element) {
    this.#element = element;
  }

  hello({ labels, colors }) {
    this.#colors = colors;
    if (labels.join() !== [...this.#rows.keys()].slice(0, -2).join()) this.#build(labels);
  }

  clear() {
    for (const row of this.#rows.values()) this.#set(row, null, 0, false);
    this.#element.classList.remove("idle");
  }

  show(document) {
    const judged = isJudged(document);
    this.#element.classList.toggle("idle", !judged);
    for (const [label, row] of this.#rows) {
      if (label === NO_MUSIC || label === OTHER_MUSIC) continue;
      const smoothed = judged ? (document.probabilities[label] ?? 0) * document.familiar_probability : null;
      const raw = judged ? (document.raw_probabilities[label] ?? 0) * document.familiar_probability : 0;
      this.#set(row, smoothed, raw, label === document.genre);
    }
    const other = judged ? 1 - document.familiar_probability : null;
    this.#set(this.#rows.get(OTHER_MUSIC), other, 0, document.reason === "unfamiliar");
    // In silence there is nothing to judge, not even whether it is music.
    const noMusic = document.state === "silence" ? null : 1 - document.music_probability;
    this.#set(this.#rows.get(NO_MUSIC), noMusic, 0, document.state === "unknown" && !judged);
  }

  recolor() {
    for (const [label, row] of this.#rows) {
      const genre = label === NO_MUSIC || label === OTHER_MUSIC ? "unknown" : label;
      row.style.setProperty("--color", colorOf(this.#colors, genre));
    }
  }

  #build(labels) {
    const rows = [...labels, OTHER_MUSIC, NO_MUSIC].map((label) => {
      const row = document.createElement("li");
      row.dataset.label = label;
      row.innerHTML =
        '<span class="name"></span><span class="track"><span class="fill"></span><span class="tick"></span></span><span class="value"></span>';
      row.querySelector(".name").textContent = genreName(label);
      row.querySelector(".name").title = genreName(label);
      return [label, row];
    });
    this.#rows = new Map(rows);
    this.#element.replaceChildren(...this.#rows.values());
    this.clear();
  }

  #set(row, smoothed, raw, shown) {
    row.style.setProperty("--smoothed", smoothed ?? 0);
    row.style.setProperty("--raw", raw);
    row.classList.toggle("shown", shown);
    const value = row.querySelector(".value");
    const text = smoothed === null ? "–" : percent(smoothed);
    if (value.textContent !== text) value.textContent = text;
  }
}
