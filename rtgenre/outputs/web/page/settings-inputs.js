// The inputs in the settings: which one the room listens to, and how loud each is.

import { dbfs } from "./format.js";
import { get } from "./token.js";

const MEASURE_EVERY_MS = 1500;
const METER_FLOOR_DBFS = -60;
const UNHEARD_DEFAULT = { input: "", name: "default input", level_dbfs: null, problem: null };

const byId = (id) => document.getElementById(id);

export class SettingsInputs {
  #saved = null;
  #chosen = null;
  #inputs = [];
  #level = null;
  #measuring = 0;
  // Whether an answer is waited for.
  #listening = false;
  #changed;
  #failed;

  /** `changed` is called with the input that was chosen, `failed` with why none can be measured. */
  constructor(changed, failed) {
    this.#changed = changed;
    this.#failed = failed;
    byId("settings-measure").addEventListener("click", () => this.#measure(!this.#measuring));
  }

  /** Show the input that is in use, null for none that can be chosen, and the one to be saved. */
  show(saved, chosen) {
    this.#saved = saved;
    this.#chosen = chosen;
    byId("settings-measure").hidden = saved === null;
    byId("settings-fixed").hidden = saved !== null;
    this.#build();
  }

  /** Take in how loud the room's newest window is; null while that is not known. */
  setLevel(level) {
    this.#level = level;
  }

  stop() {
    this.#measure(false);
  }

  #build() {
    const saved = this.#saved;
    const others = this.#inputs.filter((each) => each.input !== "");
    const known = others.some((each) => each.input === saved);
    const listed = [
      this.#inputs.find((each) => each.input === "") ?? UNHEARD_DEFAULT,
      ...(known || !saved ? [] : [{ input: saved, name: saved, level_dbfs: null, problem: null }]),
      ...others,
    ];
    const items = (saved === null ? [] : listed).map((each) => this.#item(each));
    // Who moves through them by keyboard stays where he is.
    const focused = document.activeElement?.name === "input" ? document.activeElement.value : null;
    byId("settings-inputs").replaceChildren(...items);
    byId("settings-inputs").querySelector(`[value="${CSS.escape(focused ?? "\0")}"]`)?.focus();
  }

  #item({ input, name, level_dbfs: measured, problem }) {
    // What is listened to already is not opened twice: its level is that of the newest window.
    const inUse = input === this.#saved && this.#measuring !== 0;
    const level = measured ?? (inUse ? this.#level : null);
    const item = document.createElement("li");
    item.innerHTML =
      '<label><input type="radio" name="input"><span class="name"></span></label><span class="gauge" aria-hidden="true"><span></span></span><span class="loud"></span>';
    const radio = item.querySelector("input");
    radio.value = input;
    radio.checked = input === this.#chosen;
    radio.addEventListener("change", () => {
      this.#chosen = input;
      this.#changed(input);
    });
    item.querySelector(".name").textContent = name;
    item.querySelector(".loud").textContent = problem ?? (level === null ? "" : dbfs(level));
    const share = level === null ? 0 : 1 - Math.max(METER_FLOOR_DBFS, level) / METER_FLOOR_DBFS;
    item.querySelector(".gauge span").style.setProperty("--value", share);
    return item;
  }

  #measure(on) {
    clearInterval(this.#measuring);
    this.#measuring = on ? setInterval(() => this.#listen(), MEASURE_EVERY_MS) : 0;
    byId("settings-measure").setAttribute("aria-pressed", on);
    if (on) this.#listen();
  }

  async #listen() {
    if (this.#listening) return;
    this.#listening = true;
    try {
      const answer = await (await get("settings/inputs")).json();
      this.#inputs = answer.inputs;
      this.#build();
    } catch (error) {
      this.#measure(false);
      this.#failed(error.message);
    } finally {
      this.#listening = false;
    }
  }
}
