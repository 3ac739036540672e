// Asks before something is done that cannot be undone.

/** Ask a question with one answer that does it; resolves to whether that was chosen. */
export function confirmed(question) {
  const dialog = document.getElementById("confirm-dialog");
  document.getElementById("confirm-text").textContent = question;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
