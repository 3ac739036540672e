// Changing what is read.

/** Set a text only where it changed, so that nothing is laid out or spoken for no reason. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
