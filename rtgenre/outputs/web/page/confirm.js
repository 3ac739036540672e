// Asks before something is done that cannot be undone.

const byId = (id) => document.getElementById(id);

/** Ask a question with one answer that does it; resolves to whether that was chosen. */
export function confirmed(question, title = "Delete from the history?", answer = "Delete") {
  const dialog = byId("confirm-dialog");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = question;
  byId("confirm-yes").textContent = answer;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
