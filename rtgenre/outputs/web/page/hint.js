// The line of a view that says what came of what was asked for, and what is wrong with its list.

import { setText } from "./set-text.js";

export class Hint {
  #element;
  #outcome = "";
  #problem = "";

  constructor(element) {
    this.#element = element;
  }

  get outcome() {
    return this.#outcome;
  }

  /** Say what came of what was asked for, until the next is asked: no load takes it away. */
  tell(outcome) {
    this.#outcome = outcome;
    this.#show();
  }

  /** Say what is wrong with what was loaded; "" where nothing is. */
  setProblem(problem) {
    this.#problem = problem;
    this.#show();
  }

  #show() {
    setText(this.#element, [this.#outcome, this.#problem].filter(Boolean).join(" "));
  }
}
