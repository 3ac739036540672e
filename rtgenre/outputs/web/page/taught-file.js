// The file of what was taught: fetched and sent in parts, so that neither side holds much at once.

import { get } from "./token.js";

const STRETCHES_AT_ONCE = 60;
// The service takes a mebibyte at once.
const PART_CHARACTERS = 900_000;

/** Fetch a room's stretches by their ids, and have the browser keep them as one file. */
export async function saveTaught(node, ids) {
  const parts = [];
  for (let start = 0; start < ids.length; start += STRETCHES_AT_ONCE) {
    const some = ids.slice(start, start + STRETCHES_AT_ONCE);
    const query = new URLSearchParams({ node, id: some.join(",") });
    parts.push(await (await get(`taught/export?${query}`)).blob());
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "application/jsonl" }));
  link.download = "rtgenre-taught.jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Send a file's lines; resolves with how many stretches are new, known, and forgotten for them. */
export async function sendTaught(node, file) {
  const sums = { stretches: 0, known: 0, forgotten: 0 };
  for (const part of partsOf(await file.text())) {
    const query = new URLSearchParams({ node });
    const answer = await (await get(`taught/import?${query}`, "POST", part)).json();
    for (const name of Object.keys(sums)) sums[name] += answer[name];
  }
  return sums;
}

/** Cut a file into texts that can be read by themselves: each begins with what is not a stretch. */
function partsOf(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  const heads = [...new Set(lines.filter((line) => !isStretch(line)))];
  const head = heads.map((line) => `${line}\n`).join("");
  const parts = [""];
  for (const line of lines.filter(isStretch)) {
    const last = parts.length - 1;
    if (parts[last] && head.length + parts[last].length + line.length > PART_CHARACTERS) {
      parts.push("");
    }
    parts[parts.length - 1] += `${line}\n`;
  }
  // A request without a body is answered otherwise.
  return parts.map((part) => head + part || "\n");
}

function isStretch(line) {
  return line.startsWith('{"node"');
}
