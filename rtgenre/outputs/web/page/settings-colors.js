// The colours in the settings: one for each genre, tried on the lamps before it is saved.

import { genreName } from "./format.js";
import { get } from "./token.js";

const byId = (id) => document.getElementById(id);

export class SettingsColors {
  #room = "";
  #changed;
  #tell;

  /** `changed` is called with a genre, its new colour and the saved one, `tell` with what came of a try. */
  constructor(changed, tell) {
    this.#changed = changed;
    this.#tell = tell;
  }

  /** Show the colours by genre, those in `edits` in place of saved ones, and a room's lamps. */
  show(colors, edits, room, lamps) {
    this.#room = room;
    const rows = Object.entries(colors).map(([genre, saved]) => {
      const row = this.#row(genre, saved, edits[genre] ?? saved);
      row.querySelector("button").hidden = lamps.length === 0;
      return row;
    });
    byId("settings-colors").replaceChildren(...rows);
    byId("settings-lamps").textContent = lamps.length
      ? `Lamps that follow this room: ${lamps.join(", ")}. Try shows a colour for a moment.`
      : "No lamps follow this room.";
  }

  #row(genre, saved, color) {
    const row = document.createElement("li");
    row.innerHTML =
      '<label><input type="color"><span></span></label><button type="button" class="quiet-button">Try</button>';
    const [chooser, button] = [row.querySelector("input"), row.querySelector("button")];
    row.querySelector("span").textContent = genreName(genre);
    chooser.value = color;
    chooser.addEventListener("input", () => this.#changed(genre, chooser.value, saved));
    button.setAttribute("aria-label", `Try ${genreName(genre)} on the lamps`);
    button.addEventListener("click", () => this.#try(chooser.value));
    return row;
  }

  async #try(color) {
    const query = new URLSearchParams({ node: this.#room, color });
    try {
      await get(`settings/try?${query}`, "POST");
      this.#tell("The lamps show it with the next window.");
    } catch (error) {
      this.#tell(error.message);
    }
  }
}
