// One plain line when the connection or the input is lost; gone once the service says it is back.

// A short interruption, such as a restart, need not alarm anybody.
const PATIENCE_MS = 1500;

const byId = (id) => document.getElementById(id);

export class Notices {
  #connected = true;
  #reason = "";
  // Why no audio comes, and what only might be wrong; null while all is well.
  #problem = null;
  #hint = null;
  // Why a hub hears nothing of the room, or of any.
  #absence = null;
  #hub = null;
  // That the room in the address is not the one that is shown.
  #missing = null;
  #timer = 0;

  constructor() {
    this.setConnected(false);
  }

  setConnected(connected, reason = "") {
    const wasConnected = this.#connected;
    this.#connected = connected;
    this.#reason = reason;
    if (connected) {
      // Whoever connects anew is told again.
      this.#hub = null;
      clearTimeout(this.#timer);
      this.#show();
    } else if (wasConnected) {
      this.#timer = setTimeout(() => this.#show(), PATIENCE_MS);
    } else if (!byId("notice").hidden) {
      this.#show(); // another attempt failed, perhaps for another reason
    }
  }

  /** Take a room's last status document; null before the first one. */
  setStatus(status) {
    this.#problem = status?.problem ?? null;
    this.#hint = status?.hint ?? null;
    this.#show();
  }

  /** Take what a hub said last of the room; null before, and from all other services. */
  setPresence(presence) {
    this.#absence = presence?.problem ?? null;
    this.#show();
  }

  /** Take what the address calls a room that there is not, or null, and which is shown instead. */
  setMissing(node, shown) {
    this.#missing = node === null ? null : `No room here is called "${node}"; this is ${shown}.`;
    this.#show();
  }

  /** Take what a hub said last of itself. */
  setHub(hub) {
    this.#hub = hub.problem;
    this.#show();
  }

  #show() {
    let text = "";
    if (!this.#connected) {
      text = `No connection to the service${this.#reason ? `: ${this.#reason}` : ""}. Trying again …`;
    } else if (this.#hub !== null) {
      text = `Nothing comes from any room: ${this.#hub}`;
    } else if (this.#absence !== null) {
      text = this.#absence;
    } else if (this.#problem !== null) {
      text = `No sound comes in: ${this.#problem}`;
    }
    document.documentElement.toggleAttribute("data-stale", text !== "");
    const hint = this.#missing ?? this.#hint;
    const isHint = text === "" && hint !== null;
    if (isHint) text = hint;
    byId("notice").hidden = text === "";
    byId("notice").classList.toggle("is-hint", isHint);
    if (text) byId("notice-text").textContent = text;
  }
}
