// Saying what is playing: the genre's name opens the genres, and one press teaches.

import { colorOf } from "./colors.js";
import { genreName } from "./format.js";
import { get } from "./token.js";

const NOTE_MS = 15e3;
const BAD_NAME = 400;

const byId = (id) => document.getElementById(id);

export class Teach {
  #labels = [];
  #colors = {};
  #likelihoods = {};
  #node = "";
  // The room that is asked about, also when another one is shown meanwhile.
  #asked = "";
  #taught = null;
  #timer = 0;
  #changed;

  /** `changed` is called when something was taught or forgotten. */
  constructor(changed) {
    this.#changed = changed;
    for (const id of ["genre-name", "not-right"]) {
      byId(id).addEventListener("click", () => {
        this.#asked = this.#node;
        this.#open();
      });
    }
    byId("teach-close").addEventListener("click", () => byId("teach-dialog").close());
    byId("teach-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = nameOf(byId("teach-new").value);
      if (name) this.#teach(name, true);
    });
    byId("undo").addEventListener("click", () => this.#undo());
    byId("note-close").addEventListener("click", () => this.#hide());
  }

  hello({ labels, colors }) {
    this.#labels = labels;
    this.#colors = colors;
  }

  setRoom(node) {
    this.#node = node;
    this.#likelihoods = {};
  }

  /** Take in what the room's newest window is. */
  show(document) {
    this.#likelihoods = document.probabilities;
  }

  /** Ask what is playing; again, where a name that was typed could not be taken. */
  #open(typed = "", problem = "") {
    const likelihood = (label) => this.#likelihoods[label] ?? 0;
    const ranked = [...this.#labels].sort((a, b) => likelihood(b) - likelihood(a));
    const items = ranked.map((label) => {
      const item = document.createElement("li");
      item.innerHTML = '<button type="button"><span class="dot"></span></button>';
      item.firstChild.append(genreName(label));
      item.firstChild.dataset.label = label;
      item.querySelector(".dot").style.setProperty("--color", colorOf(this.#colors, label));
      item.firstChild.addEventListener("click", () => this.#teach(label));
      return item;
    });
    byId("teach-genres").replaceChildren(...items);
    byId("teach-new").value = typed;
    byId("teach-problem").textContent = problem;
    byId("teach-dialog").showModal();
    if (typed) byId("teach-new").select();
    else items[0]?.firstChild.focus();
  }

  async #teach(genre, typed = false) {
    byId("teach-dialog").close();
    const query = new URLSearchParams({ node: this.#asked, genre });
    try {
      const answer = await (await get(`teach?${query}`, "POST")).json();
      this.#taught = answer.id;
      const seconds = Math.round(answer.seconds);
      const older = answer.forgotten ? ` The oldest ${answer.forgotten} made room.` : "";
      this.#note(`Learnt: the last ${seconds} s are ${genreName(answer.genre)}.${older}`, { undoable: true });
      this.#changed();
    } catch (error) {
      if (typed && error.status === BAD_NAME) this.#open(genre, error.message);
      else this.#note(`Not learnt: ${error.message}`, { failed: true });
    }
  }

  async #undo() {
    try {
      await get(`taught?id=${this.#taught}`, "DELETE");
      this.#note("Forgotten again.");
      this.#changed();
    } catch (error) {
      this.#note(`It could not be undone: ${error.message}`, { failed: true });
    }
    byId("genre-name").focus();
  }

  #note(text, { undoable = false, failed = false } = {}) {
    byId("note").classList.toggle("is-failure", failed);
    byId("note-text").textContent = text;
    byId("undo").hidden = !undoable;
    byId("note").hidden = false;
    this.#hideLater();
  }

  #hideLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // Who is about to press Undo has time.
      if (byId("note").matches(":hover, :focus-within")) this.#hideLater();
      else this.#hide();
    }, NOTE_MS);
  }

  #hide() {
    if (byId("note").contains(document.activeElement)) byId("genre-name").focus();
    byId("note").hidden = true;
  }
}

/** Write a name as messages take it: people put spaces between words. */
export function nameOf(text) {
  return text.trim().replace(/\s+/g, "-");
}
