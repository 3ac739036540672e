// Genre colours, and how to keep them readable (WCAG 2.2, 1.4.3); pure.

const FALLBACK = "#8a8f98";

export function colorOf(colors, genre) {
  return colors[genre] ?? FALLBACK;
}

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function toHex(rgb) {
  return `#${rgb.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
}

/** `share` of `other` in `hex`, both "#rrggbb". */
export function mix(hex, other, share) {
  const [from, to] = [channels(hex), channels(other)];
  return toHex(from.map((value, i) => value + (to[i] - value) * share));
}

/** Relative luminance, 0 to 1. */
export function luminance(hex) {
  const [r, g, b] = channels(hex).map((value) => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio, 1 to 21. */
export function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/** The colour nearest to `hex` that has at least `ratio` against `background`. */
export function readable(hex, background, ratio = 4.6) {
  const away = luminance(background) < 0.18 ? "#ffffff" : "#000000";
  for (let share = 0; share < 1; share += 0.04) {
    const candidate = mix(hex, away, share);
    if (contrast(candidate, background) >= ratio) return candidate;
  }
  return away;
}
