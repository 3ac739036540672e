// The sliders in the settings: how soon and how surely a genre is shown.

// In people's words, with what a higher value does and in what it is counted.
const NAMES = {
  time_constant_seconds: ["Memory within a song", "s"],
  switch_margin: ["Lead that a new genre needs", ""],
  switch_hold_seconds: ["How long it must lead", "s"],
  unknown_below: ["Unknown below this certainty", ""],
  music_below: ["No music below", ""],
  familiar_below: ["Other music below", ""],
  silence_below_dbfs: ["Silence below", "dBFS"],
  silence_after_seconds: ["Silence after", "s"],
};
// Beyond these a slider is of no use; the file takes more.
const MOST = { time_constant_seconds: 60, switch_hold_seconds: 60, silence_after_seconds: 60 };

export class SettingsSmoothing {
  #list;
  #changed;

  /** `changed` is called with a setting's key, its new value and the one that is saved. */
  constructor(list, changed) {
    this.#list = list;
    this.#changed = changed;
  }

  /** Show the settings with the values in `edits`, by key, where they are not saved yet. */
  show(settings, edits) {
    this.#list.replaceChildren(...settings.map((setting) => this.#row(setting, edits)));
  }

  #row({ key, value, minimum, maximum }, edits) {
    const row = document.createElement("li");
    row.innerHTML = '<label><span></span><input type="range"></label><output></output>';
    const slider = row.querySelector("input");
    const [name, unit] = NAMES[key] ?? [key, ""];
    row.querySelector("span").textContent = name;
    slider.min = minimum;
    slider.max = Math.max(MOST[key] ?? maximum, value);
    slider.step = maximum > 1 || minimum < 0 ? 0.5 : 0.01;
    slider.value = edits[key] ?? value;
    const tell = () => {
      row.querySelector("output").textContent = `${Number(slider.value)} ${unit}`.trim();
      slider.setAttribute("aria-valuetext", row.querySelector("output").textContent);
    };
    tell();
    slider.addEventListener("input", () => {
      tell();
      this.#changed(key, Number(slider.value), value);
    });
    return row;
  }
}
