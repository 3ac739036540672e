// One plain line when the connection or the input is lost; gone by itself when it is back.

// A short interruption, such as a restart, need not alarm anybody.
const PATIENCE_MS = 1500;

const byId = (id) => document.getElementById(id);

export class Notices {
  #connected = true;
  #reason = "";
  #problem = null;
  #timer = 0;

  constructor() {
    this.setConnected(false);
  }

  setConnected(connected, reason = "") {
    const wasConnected = this.#connected;
    this.#connected = connected;
    this.#reason = reason;
    if (connected) {
      clearTimeout(this.#timer);
      this.#show();
    } else if (wasConnected) {
      this.#timer = setTimeout(() => this.#show(), PATIENCE_MS);
    } else if (!byId("notice").hidden) {
      this.#show(); // another attempt failed, perhaps for another reason
    }
  }

  /** Why no audio comes, or null. */
  setProblem(problem) {
    this.#problem = problem;
    this.#show();
  }

  #show() {
    let text = "";
    if (!this.#connected) {
      text = `No connection to the service${this.#reason ? `: ${this.#reason}` : ""}. Trying again …`;
    } else if (this.#problem !== null) {
      text = `No sound comes in: ${this.#problem}`;
    }
    byId("notice").hidden = text === "";
    if (text) byId("notice-text").textContent = text;
    document.documentElement.toggleAttribute("data-stale", text !== "");
  }
}
