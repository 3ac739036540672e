// The WebSocket: connects, shows its token, notices when it is lost, and comes back by itself.

import { askForToken, storedToken } from "./token.js";

const CLOSE_TOKEN = 4401;
const FIRST_RETRY_MS = 400;
const MAX_RETRY_MS = 5000;
const QUIET_MS = 8000;
const CONNECT_MS = 8000;

export class Connection extends EventTarget {
  // Events: "open", "lost" (detail: reason), "document" (detail: JSON), "column" (detail: buffer).

  #socket = null;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer = 0;
  // Whose columns are wanted; null while nobody looks.
  #columnsOf = null;
  #greeted = false;
  #lastMessageAt = 0;
  #checking = false;

  start() {
    this.#connect();
    setInterval(() => this.#checkQuiet(), 2000);
    addEventListener("online", () => this.#connectNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#connectNow());
  }

  /** Ask for the spectrogram's columns of a room (node); null: for no more of them. */
  wantColumns(node) {
    if (node === this.#columnsOf) return;
    this.#columnsOf = node;
    if (node === null) this.#send({ unsubscribe: ["spectrogram"] });
    else this.#send({ subscribe: ["spectrogram"], node });
  }

  #connect() {
    const url = new URL("ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.search = url.hash = "";
    const socket = new WebSocket(url);
    this.#greeted = false;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      this.#send({ token: storedToken() });
      const node = this.#columnsOf;
      if (node !== null) this.#send({ subscribe: ["spectrogram"], node });
    });
    socket.addEventListener("message", (event) => this.#receive(event.data));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#closed(event));
    this.#socket = socket;
    // A host that does not answer keeps a browser waiting for minutes.
    setTimeout(() => socket.readyState === WebSocket.CONNECTING && socket.close(), CONNECT_MS);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(data) {
    this.#lastMessageAt = performance.now();
    if (data instanceof ArrayBuffer) {
      this.dispatchEvent(new CustomEvent("column", { detail: data }));
      return;
    }
    const document = JSON.parse(data);
    if (document.type === "hello") {
      this.#retryMs = FIRST_RETRY_MS;
      // A hub greets again when its rooms have changed.
      document.again = this.#greeted;
      if (!this.#greeted) this.dispatchEvent(new Event("open"));
      this.#greeted = true;
    }
    this.dispatchEvent(new CustomEvent("document", { detail: document }));
  }

  async #closed(event) {
    this.#socket = null;
    this.dispatchEvent(new CustomEvent("lost", { detail: event.reason }));
    if (event.code === CLOSE_TOKEN) {
      await askForToken();
      this.#connect();
      return;
    }
    const waitMs = this.#retryMs * (0.75 + Math.random() / 2);
    this.#retryMs = Math.min(MAX_RETRY_MS, 1.6 * this.#retryMs);
    this.#retryTimer = setTimeout(() => this.#connectNow(), waitMs);
  }

  #connectNow() {
    if (this.#socket !== null || document.getElementById("token-dialog").open) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  // A network that went away without a word never closes a socket: ask, when it has been quiet.
  async #checkQuiet() {
    const socket = this.#socket;
    const quietMs = performance.now() - this.#lastMessageAt;
    if (socket?.readyState !== WebSocket.OPEN || quietMs < QUIET_MS || this.#checking) return;
    this.#checking = true;
    try {
      await fetch("healthz", { signal: AbortSignal.timeout(4000) });
    } catch {
      if (socket === this.#socket) this.#closed({ code: 1006, reason: "" });
      socket.close();
    } finally {
      this.#checking = false;
    }
  }
}
