// The rooms (nodes) that the service listens to, what each last said, and which one is shown.

import { readAddress, writeAddress } from "./address.js";
import { colorOf } from "./colors.js";
import { titleOf } from "./format.js";
import { recall, remember } from "./memory.js";
import { Past } from "./past.js";
import { FEW_ROOMS } from "./room-grid.js";
import { headline, NO_SOUND } from "./words.js";

const KEY = "rtgenre-room";

export class Rooms {
  #rooms = [];
  #chosenIndex = -1;
  #changed;

  /** `changed` is called when another room is to be shown, or the service began anew. */
  constructor(changed) {
    this.#changed = changed;
  }

  get chosen() {
    return this.#rooms[this.#chosenIndex];
  }

  /** The chosen room's place among the hello message's sources. */
  get chosenIndex() {
    return this.#chosenIndex;
  }

  get all() {
    return this.#rooms;
  }

  /** The room in the address, if none is called so; else null. */
  get missing() {
    const { node } = readAddress();
    return this.#rooms.some((room) => room.node === node) ? null : node;
  }

  /** Choose a room, and remember it. */
  choose(node) {
    remember(KEY, node);
    writeAddress({ node });
    this.#choose(this.#rooms.findIndex((room) => room.node === node));
  }

  hello(hello) {
    const known = new Map(this.#rooms.map((room) => [room.node, room]));
    const before = this.chosen;
    const wasMissing = this.missing !== null;
    this.#rooms = hello.sources.map((source) => ({
      // The last documents, which the service tells again to those who connect anew.
      ...(hello.again && known.get(source.node)),
      past: known.get(source.node)?.past ?? new Past(),
      node: source.node,
      name: source.name,
      source: source.source,
      // Rooms of a hub may have models of their own.
      hello: { ...hello, ...source },
    }));
    if (!hello.again) for (const { past } of this.#rooms) past.begin();
    this.#build();
    const index = this.#rooms.findIndex((room) => room.node === before?.node);
    const hasCome = wasMissing && this.missing === null;
    if (!hello.again || index < 0 || hasCome) this.chooseByAddress();
    else this.#choose(index, isAlike(before.hello, this.#rooms[index].hello));
  }

  /** Choose the room in the address, else the one that was chosen last, else the first. */
  chooseByAddress() {
    if (this.#rooms.length > 0) this.#choose(this.#addressed);
  }

  /** Choose the room in the address, unless it is shown already. */
  followAddress() {
    if (this.#addressed !== this.#chosenIndex) this.chooseByAddress();
  }

  /** Take in a state or status document; returns its room, or null. */
  update(document) {
    const index = this.#rooms.findIndex((room) => room.node === document.node);
    if (index < 0) return null;
    const room = this.#rooms[index];
    if (document.type === "presence") {
      // Another process says anew what is wrong.
      if (room.presence && room.presence.instance !== document.instance) room.status = null;
      room.presence = document;
      this.#label(index);
    } else if (document.type === "status") {
      room.status = document;
      if (document.gone) {
        // What was heard before no longer counts.
        room.lastHeard = room.document ?? room.lastHeard;
        room.document = null;
      }
      this.#label(index);
    } else if (document.type === "state") {
      room.past.add(document);
      room.document = document;
      this.#label(index);
    }
    return room;
  }

  #choose(index, isShown = false) {
    this.#chosenIndex = index;
    this.#buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === index));
    this.#scrollTo(this.#buttons[index]);
    if (!isShown) this.#changed();
  }

  /** Move the names sideways so far that one is in the middle, where they do not all fit. */
  #scrollTo(button) {
    const group = button.parentElement;
    group.scrollLeft = button.offsetLeft - group.offsetLeft - (group.clientWidth - button.offsetWidth) / 2;
  }

  get #addressed() {
    const wanted = readAddress().node ?? recall(KEY);
    return Math.max(0, this.#rooms.findIndex((room) => room.node === wanted));
  }

  get #buttons() {
    return [...document.getElementById("rooms").children];
  }

  #build() {
    const buttons = this.#rooms.map((room) => {
      const button = document.createElement("button");
      button.type = "button";
      button.innerHTML = '<span class="dot"></span><b></b> <span class="now"></span>';
      button.querySelector("b").textContent = room.name;
      button.addEventListener("click", () => this.choose(room.node));
      return button;
    });
    const group = document.getElementById("rooms");
    group.replaceChildren(...buttons);
    group.toggleAttribute("data-many", buttons.length > FEW_ROOMS);
    buttons.forEach((_, index) => this.#label(index));
  }

  #label(index) {
    const button = document.getElementById("rooms").children[index];
    this.#labelButton(button, this.#rooms[index]);
  }

  #labelButton(button, { document, presence, status, hello }) {
    const isAway = presence?.present === false;
    const wasAway = button.hasAttribute("data-away");
    button.toggleAttribute("data-away", isAway);
    const isGone = status?.gone === true;
    if (!document && !isAway && !isGone && !wasAway) return;
    const color = colorOf(hello.colors, isAway || !document ? "silence" : titleOf(document));
    button.querySelector(".dot").style.setProperty("--color", color);
    const now = button.querySelector(".now");
    // Of a room that comes back it may be that nothing was heard yet.
    const text = isAway ? "away" : document ? headline(document) : isGone ? NO_SOUND : "";
    if (now.textContent === text) return;
    const isFirst = now.textContent === "";
    now.textContent = text;
    // It may have pushed the chosen one away; later on, whoever moved the names wants them there.
    if (isFirst && this.chosen) this.#scrollTo(this.#buttons[this.#chosenIndex]);
  }
}

/** Whether what was drawn with one greeting can stay with the other, but for genres and colours. */
function isAlike(one, other) {
  return ["name", "model", "model_version", "window_seconds", "hop_seconds"].every(
    (key) => JSON.stringify(one[key]) === JSON.stringify(other[key]),
  );
}
