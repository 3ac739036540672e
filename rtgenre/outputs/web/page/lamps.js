// The lamps of one kind in a room's settings: named, added and taken away.

export class LampList {
  #list;
  #add;
  #what;
  #changed;

  /** `what` is what people call one; `changed` is called with the names whenever they change. */
  constructor(list, add, what, changed) {
    this.#list = list;
    this.#add = add;
    this.#what = what;
    this.#changed = changed;
    add.addEventListener("click", () => {
      this.#list.append(this.#row(""));
      this.#number();
      this.#list.lastElementChild.querySelector("input").focus();
    });
  }

  show(names) {
    // Who types goes on typing.
    if (names.join("\n") === this.#names.join("\n")) return;
    this.#list.replaceChildren(...names.map((name) => this.#row(name)));
    this.#number();
  }

  /** Take away the rows that were added and left empty, but the one that is about to be filled. */
  tidy() {
    for (const input of this.#inputs) {
      if (!input.value.trim() && input !== document.activeElement) input.closest("li").remove();
    }
    this.#number();
  }

  get #inputs() {
    return [...this.#list.querySelectorAll("input")];
  }

  get #names() {
    return this.#inputs.map(({ value }) => value.trim()).filter(Boolean);
  }

  #row(name) {
    const row = document.createElement("li");
    row.innerHTML =
      '<input maxlength="200" autocomplete="off" spellcheck="false"><button type="button" class="quiet-button" data-one-press>Remove</button>';
    const input = row.querySelector("input");
    input.value = name;
    input.addEventListener("input", () => this.#changed(this.#names));
    row.querySelector("button").addEventListener("click", () => this.#remove(row));
    return row;
  }

  #remove(row) {
    // Who moves by keyboard stays near.
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#number();
    (next?.querySelector("button") ?? this.#add).focus();
    this.#changed(this.#names);
  }

  #number() {
    this.#inputs.forEach((input, index) => {
      const label = `${this.#what} ${index + 1}`;
      input.setAttribute("aria-label", label);
      input.nextElementSibling.setAttribute("aria-label", `Remove ${label}`);
    });
  }
}
