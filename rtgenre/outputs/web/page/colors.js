// Genre colours, and how to keep them readable (WCAG 2.2, 1.4.3); pure.

const NO_GENRE = "#787c80";

export function colorOf(colors, genre) {
  return colors[genre] ?? (genre ? ownColor(genre) : NO_GENRE);
}

/** A genre that the service has no colour for, such as an earlier model's, gets one by its name. */
function ownColor(genre) {
  let hash = 2166136261; // FNV-1a
  for (const letter of genre) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619);
  const hue = (hash >>> 0) % 360;
  // From HSL with a saturation of 0.6 and a lightness of 0.5.
  const channel = (shift) => {
    const k = (shift + hue / 30) % 12;
    return 255 * (0.5 - 0.3 * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return toHex([channel(0), channel(8), channel(4)]);
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
