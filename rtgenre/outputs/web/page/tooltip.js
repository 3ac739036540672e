// One tooltip for every chart: the values under the pointer, a touch or the keyboard's focus.

const MARGIN = 12;

const tooltip = () => document.getElementById("tooltip");

/** Show lines of text, the first one strong with a dot of `color`, above a point of the window. */
export function showTooltip(x, y, color, lines) {
  const element = tooltip();
  const [title, ...rest] = lines;
  const strong = document.createElement("strong");
  const dot = document.createElement("span");
  dot.className = "dot";
  dot.style.setProperty("--color", color);
  strong.append(dot, title);
  element.replaceChildren(
    strong,
    ...rest.map((line) => {
      const span = document.createElement("span");
      span.textContent = line;
      return span;
    }),
  );
  element.hidden = false;
  const { width, height } = element.getBoundingClientRect();
  const left = Math.min(Math.max(MARGIN, x - width / 2), innerWidth - width - MARGIN);
  const above = y - height - MARGIN;
  element.style.setProperty("left", `${left}px`);
  element.style.setProperty("top", `${above > MARGIN ? above : y + 2 * MARGIN}px`);
}

export function hideTooltip() {
  tooltip().hidden = true;
}
