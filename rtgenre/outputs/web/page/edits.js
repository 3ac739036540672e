// What was changed in the settings and is not saved yet, by table and key; pure.

const OF_ROOM = ["source", "lights"];
const noEdits = () => ({ source: {}, smoothing: {}, colors: {}, lights: {} });
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export class Edits {
  #tables = noEdits();

  /** The changes to a table, by key. */
  of(table) {
    return this.#tables[table];
  }

  /** All changes, by the tables that have some. */
  get all() {
    const changed = Object.entries(this.#tables).filter(([, edits]) => Object.keys(edits).length);
    return structuredClone(Object.fromEntries(changed));
  }

  /** Take in a change; one to what is saved is none. */
  set(table, key, value, saved) {
    if (isSame(value, saved)) delete this.#tables[table][key];
    else this.#tables[table][key] = value;
  }

  /** Forget changes that were saved; what was changed again meanwhile stays. */
  forget(saved) {
    for (const [table, edits] of Object.entries(saved)) {
      for (const [key, value] of Object.entries(edits)) {
        if (isSame(this.#tables[table][key], value)) delete this.#tables[table][key];
      }
    }
  }

  /** Forget what was changed of the room. */
  clearRoom() {
    for (const table of OF_ROOM) this.#tables[table] = {};
  }

  clear() {
    this.#tables = noEdits();
  }
}
