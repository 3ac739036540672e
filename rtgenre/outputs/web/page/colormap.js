// Colours of the spectrogram's 256 levels, from dark to light or from paper to ink; pure.

const STOPS = {
  dark: ["#0d1017", "#1d1446", "#56217a", "#a5307e", "#e8584f", "#fb9f3f", "#fdf2b4"],
  light: ["#ffffff", "#ece6f5", "#c3b1e0", "#8d6cc4", "#5b3198", "#351860", "#150a2c"],
};
// Levels below show as nothing, above as the brightest: music fills the range between.
const FLOOR = 60;
const CEILING = 215;

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** 256 pixels as they lie in an ImageData: 0xAABBGGRR on the little-endian machines there are. */
export function colormap(theme) {
  const stops = STOPS[theme].map(channels);
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const share = Math.min(1, Math.max(0, (level - FLOOR) / (CEILING - FLOOR)));
    const at = share * (stops.length - 1);
    const below = Math.min(stops.length - 2, Math.floor(at));
    const [r, g, b] = stops[below].map((v, i) => v + (stops[below + 1][i] - v) * (at - below));
    return ((255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
  });
}
