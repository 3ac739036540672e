// The token of a protected service: from #token=… in the address, this browser's memory, or asked.

import { recall, remember } from "./memory.js";

const KEY = "rtgenre-token";

export function storedToken() {
  return recall(KEY) ?? "";
}

/** Take #token=… out of the address, so that it is neither shown nor shared; say if it was there. */
export function takeTokenFromAddress() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const token = fields.get("token");
  if (!token) return false;
  remember(KEY, token);
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

/** Ask for the token; resolves once one was entered and remembered. */
export function askForToken() {
  const dialog = document.getElementById("token-dialog");
  const form = document.getElementById("token-form");
  const input = document.getElementById("token");
  if (storedToken()) {
    document.getElementById("token-hint").textContent =
      "The token that this browser remembers is not the right one (any more).";
  }
  dialog.showModal();
  input.value = "";
  // Without a token there is nothing to show behind the dialog, and browsers close it at the second
  // Escape whatever a page says.
  const stay = () => dialog.showModal();
  dialog.addEventListener("close", stay);
  return new Promise((resolve) => {
    form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        remember(KEY, input.value.trim());
        dialog.removeEventListener("close", stay);
        dialog.close();
        resolve();
      },
      { once: true },
    );
  });
}

/** GET a path of the service, or use another method, with the token where there is one. */
export async function get(path, method = "GET", body = undefined) {
  const token = storedToken();
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { method, headers, body }).catch(() => {
    // What browsers say here differs, and is no help.
    throw new Error("the service cannot be reached");
  });
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    const message = answer.message ?? `the service answered ${response.status}`;
    throw Object.assign(new Error(message), { status: response.status });
  }
  return response;
}
