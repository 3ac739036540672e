// The view of the settings: what is changed waits here until it is saved.

import { Edits } from "./edits.js";
import { dbfs, genreName } from "./format.js";
import { Hint } from "./hint.js";
import { LampList } from "./lamps.js";
import { Preview } from "./preview.js";
import { get } from "./token.js";

const MEASURE_EVERY_MS = 1500;
const METER_FLOOR_DBFS = -60;
// In people's words, with what a higher value does and in what it is counted.
const SMOOTHING = {
  time_constant_seconds: ["Memory within a song", "s"],
  switch_margin: ["Lead that a new genre needs", ""],
  switch_hold_seconds: ["How long it must lead", "s"],
  unknown_below: ["Unknown below this certainty", ""],
  music_below: ["No music below", ""],
  familiar_below: ["Other music below", ""],
  silence_below_dbfs: ["Silence below", "dBFS"],
  silence_after_seconds: ["Silence after", "s"],
};
const LAMPS = { wled: "WLED device", zigbee2mqtt: "Zigbee lamp" };
// Beyond these a slider is of no use; the file takes more.
const MOST = { time_constant_seconds: 60, switch_hold_seconds: 60, silence_after_seconds: 60 };

const STARTING = "It starts anew …";
const UNHEARD_DEFAULT = { input: "", name: "default input", level_dbfs: null, problem: null };

const byId = (id) => document.getElementById(id);

export class SettingsView {
  #room = "";
  #colors = {};
  #settings = null;
  #edits = new Edits();
  #hint = new Hint(byId("settings-hint"));
  // How often settings were asked for: only the newest answer counts.
  #loads = 0;
  #saving = false;
  #lamps = {};
  #inputs = [];
  #level = null;
  #visible = false;
  #measuring = 0;
  // Whether an answer is waited for.
  #listening = false;
  #previewOf = new Preview((problem) => this.#hint.tell(problem));

  constructor() {
    byId("settings-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    byId("settings-undo").addEventListener("click", () => this.#undo());
    byId("settings-restart").addEventListener("click", () => this.#restart());
    byId("settings-measure").addEventListener("click", () => this.#measure(!this.#measuring));
    byId("settings-name").addEventListener("input", ({ target }) => {
      this.#edit("source", "name", target.value, this.#saved.name);
    });
    for (const [kind, what] of Object.entries(LAMPS)) {
      const [list, add] = [byId(`settings-${kind}`), byId(`add-${kind}`)];
      this.#lamps[kind] = new LampList(list, add, what, (names) => {
        this.#edit("lights", kind, names, this.#saved[kind]);
      });
    }
    new ResizeObserver(() => this.#preview()).observe(byId("preview-then"));
  }

  /** `settings` says whether they can be changed: not at a hub, and not where that is off. */
  hello({ colors, settings }) {
    this.#colors = colors;
    byId("settings-button").hidden = settings !== true;
  }

  setRoom(node) {
    if (node !== this.#room || this.#hint.outcome === STARTING) this.#hint.tell("");
    if (node !== this.#room) {
      this.#edits.clearRoom();
      this.#level = null;
    }
    this.#room = node;
    if (!this.#visible) return;
    this.#show();
    // A service that began anew may have other settings.
    this.#load();
  }

  /** Take in what the room's newest window is. */
  show(document) {
    this.#level = document.level_dbfs;
  }

  setVisible(visible) {
    this.#visible = visible;
    if (visible) {
      this.#load();
    } else {
      this.#measure(false);
      this.#hint.tell("");
    }
  }

  get #saved() {
    return this.#settings.rooms.find(({ node }) => node === this.#room) ?? this.#settings.rooms[0];
  }

  async #load() {
    const load = ++this.#loads;
    try {
      const settings = await (await get("settings")).json();
      if (load === this.#loads) this.#take(settings);
    } catch (error) {
      if (load !== this.#loads) return;
      this.#hint.setProblem(error.message);
    }
  }

  #take(settings) {
    this.#settings = settings;
    this.#hint.setProblem(settings.problem ?? "");
    this.#show();
  }

  #show() {
    if (this.#settings === null) return;
    const { file, checksum, problem, restart } = this.#settings;
    byId("settings-file").textContent = checksum ? file : `${file} (not there yet)`;
    byId("settings-fields").disabled = problem !== null;
    byId("settings-name").value = this.#edits.of("source").name ?? this.#saved.name;
    byId("settings-name").placeholder = this.#saved.node;
    byId("settings-restart").hidden = restart.length === 0;
    byId("settings-waiting").textContent = restart.length
      ? `A new start brings into force: ${restart.join(", ")}.`
      : "";
    this.#showInputs();
    this.#showSmoothing();
    this.#showLamps();
    this.#showColors();
    this.#follow();
    this.#preview();
  }

  #showInputs() {
    const { input } = this.#saved;
    byId("settings-measure").hidden = input === null;
    const others = this.#inputs.filter((each) => each.input !== "");
    const known = others.some((each) => each.input === input);
    const listed = [
      this.#inputs.find((each) => each.input === "") ?? UNHEARD_DEFAULT,
      ...(known || !input ? [] : [{ input, name: input, level_dbfs: null, problem: null }]),
      ...others,
    ];
    const chosen = this.#edits.of("source").input ?? input;
    const items = (input === null ? [] : listed).map((each) => this.#input(each, chosen));
    // Who moves through them by keyboard stays where he is.
    const focused = document.activeElement?.name === "input" ? document.activeElement.value : null;
    byId("settings-inputs").replaceChildren(...items);
    byId("settings-inputs").querySelector(`[value="${CSS.escape(focused ?? "\0")}"]`)?.focus();
    byId("settings-fixed").hidden = input !== null;
  }

  #input({ input, name, level_dbfs: measured, problem }, chosen) {
    // What is listened to already is not opened twice: its level is that of the newest window.
    const inUse = input === this.#saved.input && this.#measuring !== 0;
    const level = measured ?? (inUse ? this.#level : null);
    const item = document.createElement("li");
    item.innerHTML =
      '<label><input type="radio" name="input"><span class="name"></span></label><span class="gauge" aria-hidden="true"><span></span></span><span class="loud"></span>';
    const radio = item.querySelector("input");
    radio.value = input;
    radio.checked = input === chosen;
    radio.addEventListener("change", () => {
      this.#edit("source", "input", input, this.#saved.input);
    });
    item.querySelector(".name").textContent = name;
    item.querySelector(".loud").textContent = problem ?? (level === null ? "" : dbfs(level));
    const share = level === null ? 0 : 1 - Math.max(METER_FLOOR_DBFS, level) / METER_FLOOR_DBFS;
    item.querySelector(".gauge span").style.setProperty("--value", share);
    return item;
  }

  #showSmoothing() {
    const rows = this.#settings.smoothing.map((setting) => {
      const { key, minimum, maximum } = setting;
      const row = document.createElement("li");
      row.innerHTML = '<label><span></span><input type="range"></label><output></output>';
      const slider = row.querySelector("input");
      const [name, unit] = SMOOTHING[key] ?? [key, ""];
      row.querySelector("span").textContent = name;
      slider.min = minimum;
      slider.max = Math.max(MOST[key] ?? maximum, setting.value);
      slider.step = maximum > 1 || minimum < 0 ? 0.5 : 0.01;
      slider.value = this.#edits.of("smoothing")[key] ?? setting.value;
      const tell = () => {
        row.querySelector("output").textContent = `${Number(slider.value)} ${unit}`.trim();
        slider.setAttribute("aria-valuetext", row.querySelector("output").textContent);
      };
      tell();
      slider.addEventListener("input", () => {
        tell();
        this.#edit("smoothing", key, Number(slider.value), setting.value);
        this.#preview();
      });
      return row;
    });
    byId("settings-smoothing").replaceChildren(...rows);
  }

  #showLamps() {
    byId("settings-broker").hidden = this.#settings.broker;
    for (const [kind, list] of Object.entries(this.#lamps)) {
      list.show(this.#edits.of("lights")[kind] ?? this.#saved[kind]);
    }
  }

  #showColors() {
    const lamps = this.#settings.broker ? [...this.#saved.wled, ...this.#saved.zigbee2mqtt] : [];
    const rows = Object.entries(this.#settings.colors).map(([genre, saved]) => {
      const row = document.createElement("li");
      row.innerHTML =
        '<label><input type="color"><span></span></label><button type="button" class="quiet-button">Try</button>';
      const [chooser, button] = [row.querySelector("input"), row.querySelector("button")];
      row.querySelector("span").textContent = genreName(genre);
      chooser.value = this.#edits.of("colors")[genre] ?? saved;
      chooser.addEventListener("input", () => this.#edit("colors", genre, chooser.value, saved));
      button.hidden = lamps.length === 0;
      button.setAttribute("aria-label", `Try ${genreName(genre)} on the lamps`);
      button.addEventListener("click", () => this.#try(chooser.value));
      return row;
    });
    byId("settings-colors").replaceChildren(...rows);
    byId("settings-lamps").textContent = lamps.length
      ? `Lamps that follow this room: ${lamps.join(", ")}. Try shows a colour for a moment.`
      : "No lamps follow this room.";
  }

  #edit(table, key, value, saved) {
    this.#edits.set(table, key, value, saved);
    this.#follow();
  }

  #follow() {
    const unchanged = Object.keys(this.#edits.all).length === 0;
    byId("settings-save").disabled = unchanged;
    byId("settings-undo").disabled = unchanged;
  }

  #undo() {
    this.#tidy();
    this.#edits.clear();
    this.#hint.tell("");
    this.#show();
  }

  #tidy() {
    for (const list of Object.values(this.#lamps)) list.tidy();
  }

  async #save() {
    // A second press would find the file as the first one has changed it.
    if (this.#saving) return;
    this.#saving = true;
    this.#hint.tell("");
    const { checksum } = this.#settings;
    const asked = { node: this.#room, changes: this.#edits.all, checksum };
    try {
      const settings = await (await get("settings", "POST", JSON.stringify(asked))).json();
      this.#edits.forget(asked.changes);
      this.#tidy();
      this.#hint.tell("Saved.");
      this.#loads += 1;
      this.#take(settings);
    } catch (error) {
      // What was changed elsewhere is shown; what was changed here stays, to be saved again.
      if (error.status === 409) await this.#load();
      this.#hint.tell(`Not saved: ${error.message}`);
    } finally {
      this.#saving = false;
    }
  }

  async #restart() {
    try {
      await get("settings/restart", "POST");
      this.#hint.tell(STARTING);
      byId("settings-restart").hidden = true;
    } catch (error) {
      this.#hint.tell(error.message);
    }
  }

  async #try(color) {
    const query = new URLSearchParams({ node: this.#room, color });
    try {
      await get(`settings/try?${query}`, "POST");
      this.#hint.tell("The lamps show it with the next window.");
    } catch (error) {
      this.#hint.tell(error.message);
    }
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
      this.#showInputs();
    } catch (error) {
      this.#measure(false);
      this.#hint.tell(error.message);
    } finally {
      this.#listening = false;
    }
  }

  #preview() {
    if (!this.#visible || this.#settings === null) return;
    this.#previewOf.ask(this.#room, { ...this.#edits.of("smoothing") }, this.#colors);
  }
}
