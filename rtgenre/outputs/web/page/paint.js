// Stretches of time on a canvas, coloured by genre.

import { colorOf } from "./colors.js";
import { NOT_MUSIC } from "./history-data.js";

/** Paint the stretches between two times, `from` at the left edge and `to` at the right one. */
export function paintStretches(canvas, { from, to }, stretches, colors) {
  const scale = Math.min(2, devicePixelRatio);
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (width === 0) return;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const perMs = width / (to - from);
  for (const { genre, start, end } of stretches) {
    // Whole pixels, so that no seam shows between two stretches of one genre.
    const x = Math.round((start - from) * perMs);
    context.fillStyle = colorOf(colors, genre);
    const length = Math.max(1, Math.round((end - from) * perMs) - x);
    // What is no music is a low line along the bottom.
    const top = genre === "silence" ? 0.92 : NOT_MUSIC.has(genre) ? 0.72 : 0;
    context.globalAlpha = top ? 0.5 : 1;
    context.fillRect(x, top * height, length, (1 - top) * height);
  }
}
