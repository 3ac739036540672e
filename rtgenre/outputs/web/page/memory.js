// What this browser remembers; one that keeps nothing of sites remembers it until the page is closed.

const sinceOpened = new Map();

/** What is remembered under a key, or null. */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return sinceOpened.get(key) ?? null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    sinceOpened.set(key, value);
  }
}
