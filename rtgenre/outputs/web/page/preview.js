// What other smoothing would have shown of the last ten minutes, beside what was shown.

import { clock, genreName } from "./format.js";
import { parse } from "./history-data.js";
import { paintStretches } from "./paint.js";
import { get } from "./token.js";

const AFTER_MS = 300;

const byId = (id) => document.getElementById(id);

export class Preview {
  #fail;
  #timer = 0;
  // How often it was asked for: only the newest answer counts.
  #asked = 0;

  /** `fail` is called with why there is none. */
  constructor(fail) {
    this.#fail = fail;
  }

  /** Show it of a room (node), once a slider rests. */
  ask(node, smoothing, colors) {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    this.#timer = setTimeout(async () => {
      try {
        const body = JSON.stringify({ node, smoothing });
        const { now, then } = await (await get("settings/preview", "POST", body)).json();
        if (asked !== this.#asked) return;
        show("now", now, colors);
        show("then", then, colors);
      } catch (error) {
        if (asked === this.#asked) this.#fail(error.message);
      }
    }, AFTER_MS);
  }
}

function show(name, shown, colors) {
  const stretches = parse({ stretches: shown });
  const span = { from: stretches[0]?.start ?? 0, to: stretches.at(-1)?.end ?? 1 };
  if (span.to > span.from) {
    paintStretches(byId(`preview-${name}`), span, stretches, colors);
  }
  const changes = Math.max(0, stretches.length - 1);
  const words = changes === 1 ? "1 change" : `${changes} changes`;
  byId(`preview-${name}-text`).textContent = stretches.length
    ? `${words} since ${clock(span.from)}`
    : "nothing was heard yet";
  const genres = [...new Set(stretches.map(({ genre }) => genreName(genre)))];
  byId(`preview-${name}`).setAttribute("aria-label", genres.join(", ") || "Nothing");
}
