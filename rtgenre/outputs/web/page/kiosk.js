// The wall display: a way out, a darker picture at night, and one that moves a little.

import { setNight } from "./theme.js";

const root = document.documentElement;
const byId = (id) => document.getElementById(id);

const AWAKE_MS = 4000;
const STEP_MS = 60e3;
// Pixels that always show the same wear out: everything wanders around a small square.
const WAY_PX = [[0, 0], [4, 0], [8, 0], [8, 4], [8, 8], [4, 8], [0, 8], [0, 4]];
const NIGHT = "23-6";

/** Whether a local hour lies in a night such as "23-6"; "off" has no night. */
export function isNight(hour, night) {
  const [, from, to] = /^(\d{1,2})-(\d{1,2})$/.exec(night)?.map(Number) ?? [];
  if (from === undefined || from === to) return false;
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}

export class Kiosk {
  #leave;
  #on = false;
  #steps = 0;
  #timer = 0;
  #awakeTimer = 0;
  // Whether the press that goes on has shown the way out.
  #wakes = false;

  /** `leave` is called when somebody wants the whole page back. */
  constructor(leave) {
    this.#leave = leave;
    for (const type of ["pointermove", "pointerdown", "keydown"]) {
      addEventListener(type, (event) => this.#wake(event));
    }
    // The first touch presses nothing, wherever it lands.
    const keep = (event) => this.#on && this.#wakes && event.detail > 0 && event.stopPropagation();
    addEventListener("click", keep, { capture: true });
    byId("leave-kiosk").addEventListener("click", () => this.#end());
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement) this.#end();
    });
  }

  setOn(on) {
    if (on === this.#on) return;
    this.#on = on;
    clearInterval(this.#timer);
    if (on) this.#timer = setInterval(() => this.#step(), STEP_MS);
    // Whoever goes back by the browser's button, too, wants the browser back.
    else if (document.fullscreenElement) document.exitFullscreen();
    this.#show();
  }

  #step() {
    this.#steps += 1;
    this.#show();
  }

  #show() {
    const [x, y] = WAY_PX[this.#on ? this.#steps % WAY_PX.length : 0];
    root.style.setProperty("--shift-x", `${x}px`);
    root.style.setProperty("--shift-y", `${y}px`);
    const night = new URLSearchParams(location.search).get("night") ?? NIGHT;
    const dark = this.#on && isNight(new Date().getHours(), night);
    if (dark === root.hasAttribute("data-night")) return;
    root.toggleAttribute("data-night", dark);
    setNight(dark);
  }

  #wake(event) {
    if (!this.#on) return;
    if (event.key === "Escape") {
      // It closes what is open above first.
      if (document.querySelector("dialog[open]")) return;
      this.#end();
      return;
    }
    if (event.type === "pointerdown") this.#wakes = !root.hasAttribute("data-awake");
    root.toggleAttribute("data-awake", true);
    clearTimeout(this.#awakeTimer);
    this.#awakeTimer = setTimeout(() => root.removeAttribute("data-awake"), AWAKE_MS);
  }

  #end() {
    if (!this.#on) return;
    root.removeAttribute("data-awake");
    this.#leave();
  }
}
