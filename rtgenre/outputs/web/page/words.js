// What the service's documents say, in people's words; pure.

import { genreName, percent, titleOf } from "./format.js";

// A first guess that leads by less has a second one worth knowing.
const SURE = 0.6;
const WORTH_SAYING = 0.1;

/** What stands in a genre's place once an input has ended or is lost. */
export const NO_SOUND = "No sound";

const HEADLINES = { not_music: "No music", unsure: "Not sure yet" };
const DEVICES = {
  default: "Default input",
  sysdefault: "Default input",
  pulse: "Sound server (PulseAudio)",
  pipewire: "Sound server (PipeWire)",
};
const MODELS = { crnn: "Standard", cnn: "Simple" };

/** What a state document says in a word or two, as the heading has it. */
export function headline(document) {
  return HEADLINES[document.reason] ?? genreName(titleOf(document));
}

/** What a stretch of the history was, likewise. */
export function stretchName({ genre, reason }) {
  return HEADLINES[reason] ?? genreName(genre);
}

/** What played, as far as that was said: "So What · Miles Davis". */
export function played({ title, artist }) {
  return [title, artist].filter(Boolean).join(" · ");
}

/** Whether genres mean anything just now: not in silence, nor where there is no music. */
export function isJudged(document) {
  return document.confidence !== null;
}

/** How sure the service is, or why it names no genre. */
export function sureness(document) {
  if (document.state === "music") return `${percent(document.confidence)} sure`;
  if (document.state === "silence") return "nothing to hear";
  if (document.reason === "unfamiliar") return "music, but none of my genres";
  if (!isJudged(document)) return "does not sound like music";
  const [label] = ranked(document)[0];
  return `perhaps ${genreName(label).toLowerCase()}, ${percent(document.confidence)} sure`;
}

/** The next likely genre while the shown one is unsure, as [label, probability]; or null. */
export function secondGuess(document) {
  if (document.state !== "music" || document.confidence >= SURE) return null;
  const other = ranked(document).find(([label]) => label !== document.genre);
  return other && other[1] >= WORTH_SAYING ? other : null;
}

/** What it listens to: "device: default" is the default input. */
export function sourceName(source) {
  const [, kind, name] = /^(\w+): (.*)$/s.exec(source) ?? [null, "", source];
  if (source === "pipe: standard input") return "Standard input";
  if (kind === "demo") return `Demo (${name})`;
  if (kind === "device") return DEVICES[name] ?? name.replace(/ \(hw:\d+,\d+\)$/, "");
  return ["file", "pipe", "stream"].includes(kind) ? name : source;
}

/** Whether this is the program's own music, which nobody put on. */
export function isDemo(source) {
  return source.startsWith("demo: ");
}

/** A shipped model's name in plain words, with its version. */
export function modelName(name, version) {
  return `${MODELS[name] ?? name} ${version}`;
}

/** How likely the genres are, as [label, probability]: what is left to one is other music. */
function ranked({ probabilities, familiar_probability }) {
  const scaled = Object.entries(probabilities).map(([label, p]) => [label, p * familiar_probability]);
  return scaled.sort((a, b) => b[1] - a[1]);
}
