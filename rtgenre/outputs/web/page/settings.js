// The view of the settings: what is changed waits here until it is saved.

import { Edits } from "./edits.js";
import { Hint } from "./hint.js";
import { LampList } from "./lamps.js";
import { Preview } from "./preview.js";
import { SettingsColors } from "./settings-colors.js";
import { SettingsInputs } from "./settings-inputs.js";
import { SettingsSmoothing } from "./settings-smoothing.js";
import { get } from "./token.js";

const LAMPS = { wled: "WLED device", zigbee2mqtt: "Zigbee lamp" };
const CHANGED_ELSEWHERE =
  "Not saved: the settings were changed meanwhile, by another page or an editor. Look at them as they are now; what you changed here is kept, and Save writes it.";
const NOT_HERE = "No settings can be changed on this page. They are in the settings file of each rtgenre.";
const STARTING = "It starts anew …";

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
  #visible = false;
  #inputs = new SettingsInputs(
    (input) => this.#edit("source", "input", input, this.#saved.input),
    (problem) => this.#hint.tell(problem),
  );
  #smoothing = new SettingsSmoothing(byId("settings-smoothing"), (key, value, saved) => {
    this.#edit("smoothing", key, value, saved);
    this.#preview();
  });
  #chosenColors = new SettingsColors(
    (genre, color, saved) => this.#edit("colors", genre, color, saved),
    (outcome) => this.#hint.tell(outcome),
  );
  #lamps = {};
  #previewOf = new Preview((problem) => this.#hint.tell(problem));

  constructor() {
    byId("settings-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    byId("settings-undo").addEventListener("click", () => this.#undo());
    byId("settings-restart").addEventListener("click", () => this.#restart());
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
    // A notice stands above it.
    new ResizeObserver(([{ target }]) => {
      document.documentElement.style.setProperty("--save-bar-height", `${target.offsetHeight}px`);
    }).observe(document.querySelector(".save-bar"));
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
      this.#inputs.setLevel(null);
    }
    this.#room = node;
    if (!this.#visible) return;
    this.#show();
    // A service that began anew may have other settings.
    this.#load();
  }

  /** Take in what the room's newest window is. */
  show(document) {
    this.#inputs.setLevel(document.level_dbfs);
  }

  setVisible(visible) {
    this.#visible = visible;
    if (visible) {
      this.#load();
    } else {
      this.#inputs.stop();
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
      const isOff = error.status === 404;
      if (isOff) byId("settings-fields").disabled = true;
      this.#hint.setProblem(isOff ? NOT_HERE : error.message);
    }
  }

  #take(settings) {
    this.#settings = settings;
    const { problem } = settings;
    this.#hint.setProblem(problem === null ? "" : `Nothing can be changed here: ${problem}.`);
    this.#show();
  }

  #show() {
    if (this.#settings === null) return;
    const { file, checksum, problem, restart } = this.#settings;
    byId("settings-file").textContent = `Settings file: ${file}${checksum ? "" : " (not there yet)"}`;
    byId("settings-fields").disabled = problem !== null;
    byId("settings-name").value = this.#edits.of("source").name ?? this.#saved.name;
    byId("settings-name").placeholder = this.#saved.node;
    byId("settings-restart").hidden = restart.length === 0;
    byId("settings-waiting").textContent = restart.length
      ? `A new start brings into force: ${restart.join(", ")}.`
      : "";
    this.#inputs.show(this.#saved.input, this.#edits.of("source").input ?? this.#saved.input);
    this.#smoothing.show(this.#settings.smoothing, this.#edits.of("smoothing"));
    this.#showLamps();
    this.#follow();
    this.#preview();
  }

  #showLamps() {
    const { broker, colors } = this.#settings;
    byId("settings-broker").hidden = broker;
    for (const [kind, list] of Object.entries(this.#lamps)) {
      list.show(this.#edits.of("lights")[kind] ?? this.#saved[kind]);
    }
    const lamps = broker ? [...this.#saved.wled, ...this.#saved.zigbee2mqtt] : [];
    this.#chosenColors.show(colors, this.#edits.of("colors"), this.#room, lamps);
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
      const isChanged = error.status === 409;
      if (isChanged) await this.#load();
      this.#hint.tell(isChanged ? CHANGED_ELSEWHERE : `Not saved: ${error.message}.`);
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
      this.#hint.tell(`Not started anew: ${error.message}.`);
    }
  }

  #preview() {
    if (!this.#visible || this.#settings === null) return;
    this.#previewOf.ask(this.#room, { ...this.#edits.of("smoothing") }, this.#colors);
  }
}
