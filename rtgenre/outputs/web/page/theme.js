// Dark, light, or as the system has it; remembered in this browser.

import { recall, remember } from "./memory.js";

const KEY = "rtgenre-theme";
const ORDER = ["system", "dark", "light"];
const SPOKEN = { system: "as the system", dark: "dark", light: "light" };
const system = matchMedia("(prefers-color-scheme: light)");

let night = false;
let follow = () => {};
let chosen = ORDER.includes(recall(KEY)) ? recall(KEY) : "system";

export function theme() {
  if (night) return "dark";
  if (chosen !== "system") return chosen;
  return system.matches ? "light" : "dark";
}

/** Be dark for the night, whatever was chosen; or no longer. */
export function setNight(isNight) {
  night = isNight;
  follow();
}

/** Follow the button and the system; `changed` is called after every change and once now. */
export function startTheme(button, changed) {
  const apply = () => {
    document.documentElement.dataset.theme = theme();
    button.setAttribute("aria-label", `Theme: ${SPOKEN[chosen]}`);
    button.title = `Theme: ${SPOKEN[chosen]}`;
    changed();
  };
  button.addEventListener("click", () => {
    chosen = ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length];
    remember(KEY, chosen);
    apply();
  });
  system.addEventListener("change", apply);
  follow = apply;
  apply();
}
