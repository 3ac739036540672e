// The view of everything that was taught: remove, rename, merge, export, import, forget.

import { colorOf } from "./colors.js";
import { confirmed } from "./confirm.js";
import { clock, day, duration, genreName } from "./format.js";
import { Hint } from "./hint.js";
import { saveTaught, sendTaught } from "./taught-file.js";
import { nameOf } from "./teach.js";
import { get } from "./token.js";

const ROWS_AT_ONCE = 50;
const MAX_ROOMS_NAMED = 5;

const byId = (id) => document.getElementById(id);

export class TaughtView {
  #colors = {};
  #labels = [];
  #names = new Map();
  #node = "";
  #visible = false;
  #wanted = ROWS_AT_ONCE;
  #stretches = [];
  // Whether the list could be fetched.
  #isKnown = false;
  #hint = new Hint(byId("taught-hint"));
  #loads = 0;

  constructor() {
    byId("taught-more").addEventListener("click", () => {
      this.#wanted += 4 * ROWS_AT_ONCE;
      this.#show();
    });
    byId("taught-export").addEventListener("click", () => this.#export());
    byId("taught-import").addEventListener("click", () => byId("taught-file").click());
    byId("taught-file").addEventListener("change", ({ target }) => this.#import(target));
    byId("forget-all").addEventListener("click", () => this.#forgetAll());
    byId("rename-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#rename(byId("rename-from").value, nameOf(byId("rename-to").value));
    });
  }

  hello({ labels, colors, sources }) {
    this.#labels = labels;
    this.#colors = colors;
    if (sources) this.#names = new Map(sources.map(({ node, name }) => [node, name]));
    if (this.#visible) this.#show();
  }

  /** Show what a room was taught: at a hub each has its own list, else it is the same one. */
  setRoom(node) {
    if (node !== this.#node) {
      this.#node = node;
      this.#stretches = [];
      this.#isKnown = false;
      this.#hint.setProblem("");
      this.#tell("");
      this.#show();
    }
    this.load();
  }

  setVisible(visible) {
    this.#visible = visible;
    if (visible) this.load();
    else this.#tell("");
  }

  /** Fetch the list anew, if it is looked at. */
  async load() {
    const node = this.#node;
    if (!this.#visible || !node) return;
    const load = ++this.#loads;
    let stretches = [];
    let problem = "";
    let isKnown = true;
    try {
      const answer = await (await get(`taught?${new URLSearchParams({ node })}`)).json();
      stretches = answer.stretches;
      problem = answer.problem ?? "";
    } catch (error) {
      isKnown = false;
      problem = `No list: ${error.message}`;
    }
    // Another room may be shown by now, or a newer list be on its way.
    if (node !== this.#node || load !== this.#loads) return;
    this.#stretches = stretches;
    this.#isKnown = isKnown;
    this.#hint.setProblem(problem);
    this.#show();
  }

  #show() {
    const rows = this.#stretches.slice(0, this.#wanted).map((stretch) => this.#row(stretch));
    const focused = this.#buttons.indexOf(document.activeElement);
    if (!rows.length && this.#isKnown) rows.push(emptyRow());
    byId("taught-rows").replaceChildren(...rows);
    // Who moves through the rows by keyboard stays where he is, also after a removal.
    if (focused >= 0) this.#buttons[Math.min(focused, this.#buttons.length - 1)]?.focus();
    const n = this.#stretches.length;
    if (!n && (focused >= 0 || document.activeElement === byId("forget-all"))) {
      byId("taught-import").focus();
    }
    byId("taught-count").textContent = n ? `${n} ${n === 1 ? "stretch" : "stretches"}` : "";
    byId("taught-more").hidden = n <= this.#wanted;
    byId("forget-all").disabled = n === 0;
    byId("taught-export").disabled = n === 0;
    this.#showGenres();
  }

  get #buttons() {
    return [...byId("taught-rows").querySelectorAll("button")];
  }

  #row(stretch) {
    const row = document.createElement("tr");
    row.innerHTML =
      '<td class="time"></td><td class="heard"><span class="dot"></span></td><td></td><td class="time"></td><td><button type="button" class="row-button" data-one-press>Remove</button></td>';
    const [when, genre, room, length, last] = row.cells;
    const start = Date.parse(stretch.start);
    const name = genreName(stretch.genre);
    when.textContent = `${day(start)}, ${clock(start)}`;
    genre.firstChild.style.setProperty("--color", colorOf(this.#colors, stretch.genre));
    genre.append(stretch.used ? name : `${name} (not in use: taught to ${stretch.network})`);
    room.textContent = this.#roomOf(stretch);
    length.textContent = duration(stretch.seconds);
    last.firstChild.setAttribute("aria-label", `Remove ${name}, ${when.textContent}`);
    const id = { id: stretch.id };
    last.firstChild.addEventListener("click", () => this.#do(this.#node, "taught", id, "Removed"));
    return row;
  }

  #roomOf({ node }) {
    return this.#names.get(node) ?? node;
  }

  #showGenres() {
    const taught = [...new Set(this.#stretches.map(({ genre }) => genre))].sort();
    const options = taught.map((label) => new Option(genreName(label), label));
    const chosen = byId("rename-from").value;
    byId("rename-from").replaceChildren(...options);
    if (taught.includes(chosen)) byId("rename-from").value = chosen;
    byId("rename-form").hidden = taught.length === 0;
    byId("known-genres").replaceChildren(...this.#labels.map((label) => new Option(label, label)));
  }

  async #rename(from, to) {
    if (!from || !to) return;
    const names = { genre: from, to };
    if (await this.#do(this.#node, "taught/rename", names, "Renamed", "POST")) {
      byId("rename-to").value = "";
    }
  }

  async #forgetAll() {
    // Another room may be shown by the time of the answer.
    const node = this.#node;
    if (!(await this.#isAnything())) return;
    const rooms = [...new Set(this.#stretches.map((stretch) => this.#roomOf(stretch)))];
    const where = rooms.length > MAX_ROOMS_NAMED ? `${rooms.length} rooms` : rooms.join(", ");
    const question = `Everything that was taught in ${where}. This cannot be undone.`;
    if (await confirmed(question, "Forget what was taught?", "Forget")) {
      await this.#do(node, "taught", { all: "yes" }, "Everything is forgotten");
    }
  }

  /** Fetch what others taught meanwhile, before all of it is meant; resolves to whether there is any. */
  async #isAnything() {
    const node = this.#node;
    this.#tell("");
    await this.load();
    return node === this.#node && this.#stretches.length > 0;
  }

  async #export() {
    const node = this.#node;
    if (!(await this.#isAnything())) return;
    try {
      const ids = this.#stretches.map(({ id }) => id);
      await saveTaught(node, ids);
    } catch (error) {
      this.#tell(`Not exported: ${error.message}`, node);
    }
  }

  async #import(input) {
    const [file] = input.files;
    // So that the same file can be chosen again.
    input.value = "";
    if (!file) return;
    const node = this.#node;
    this.#tell("Taking it in …");
    let text;
    try {
      const { stretches, known, forgotten } = await sendTaught(node, file);
      text = `Took in ${stretches} ${stretches === 1 ? "stretch" : "stretches"}.`;
      if (known) text += ` ${known} ${known === 1 ? "was" : "were"} here already.`;
      if (forgotten) text += ` The oldest ${forgotten} made room.`;
    } catch (error) {
      text = `Not taken in: ${error.message}`;
    }
    await this.load();
    this.#tell(text, node);
  }

  async #do(node, path, query, done, method = "DELETE") {
    try {
      await get(`${path}?${new URLSearchParams({ node, ...query })}`, method);
    } catch (error) {
      // What is refused may be gone: others change the list, too.
      if (error.status) await this.load();
      this.#tell(error.message, node);
      return false;
    }
    this.#tell("");
    byId("announcer").textContent = done;
    await this.load();
    return true;
  }

  /** Say what came of what was asked for of a room. */
  #tell(outcome, node = this.#node) {
    this.#hint.tell(node === this.#node ? outcome : `${this.#roomOf({ node })}: ${outcome}`);
    // What was pressed may be below a long list.
    if (outcome) byId("taught-hint").scrollIntoView({ block: "nearest" });
  }
}

function emptyRow() {
  const row = document.createElement("tr");
  row.innerHTML =
    '<td colspan="5">Nothing was taught yet. While music plays, press the name of its genre.</td>';
  return row;
}
