// A double click or a held key presses a button once, though another one may have taken its place.

const WITHIN_MS = 500;
const WITHIN_PIXELS = 10;

/** Keep what was not meant from buttons that take something away: those with `data-one-press`. */
export function keepToOnePress() {
  ignoreSecondClicks();
  ignoreHeldKeys();
}

function ignoreHeldKeys() {
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.repeat && event.target.closest("[data-one-press]")) event.preventDefault();
    },
    { capture: true },
  );
}

function ignoreSecondClicks() {
  let last = null;
  const isSecond = (event) =>
    event.detail > 1 ||
    // Some browsers count anew where another button has moved below the pointer.
    (last !== null &&
      event.timeStamp - last.timeStamp < WITHIN_MS &&
      Math.hypot(event.clientX - last.clientX, event.clientY - last.clientY) < WITHIN_PIXELS);
  document.addEventListener(
    "click",
    (event) => {
      // A key's press has no count.
      if (event.detail === 0) return;
      if (isSecond(event) && event.target.closest("[data-one-press]")) {
        event.preventDefault();
        event.stopPropagation();
      }
      last = event;
    },
    { capture: true },
  );
}
