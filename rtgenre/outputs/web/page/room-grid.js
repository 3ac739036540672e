// All rooms at a glance: those that need attention first, and a search.

import { colorOf } from "./colors.js";
import { percent, titleOf } from "./format.js";
import { setText } from "./set-text.js";
import { headline, NO_SOUND, sourceName } from "./words.js";

/** With more rooms than these the page has this view, and the header has only the chosen one. */
export const FEW_ROOMS = 8;
// Rooms change places no more often than that.
const SORT_MS = 2000;

const byId = (id) => document.getElementById(id);

/** What is wrong with a room, or might be, and how badly: 0 is the worst, 2 is fine; pure. */
export function attention({ presence, status }) {
  const problem = presence?.problem ?? status?.problem ?? null;
  if (problem !== null || presence?.present === false) {
    return { rank: 0, text: problem ?? "away" };
  }
  const hint = status?.hint ?? null;
  return hint === null ? { rank: 2, text: "" } : { rank: 1, text: hint };
}

/** Whether each word that is searched for is somewhere in what is known of a room; pure. */
export function matches(room, search) {
  const known = [
    room.name,
    room.node,
    sourceName(room.source),
    room.document ? headline(room.document) : NO_SOUND,
    room.document?.title,
    room.document?.artist,
    attention(room).text,
  ].join("\n").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => known.includes(word));
}

/** The order of two rooms: what needs attention first, then by name; pure. */
export function compareRooms(one, other) {
  return (
    attention(one).rank - attention(other).rank ||
    one.name.localeCompare(other.name, undefined, { numeric: true })
  );
}

export class RoomGrid {
  // By node, the room, its list item and what changes in it.
  #cards = new Map();
  #choose;
  #visible = false;
  #timer = 0;

  /** `choose` is called with the node of a room that was pressed. */
  constructor(choose) {
    this.#choose = choose;
    byId("room-search").addEventListener("input", () => this.#filter());
    byId("room-search").addEventListener("keydown", (event) => {
      const first = byId("room-grid").querySelector("li:not([hidden]) button");
      if (event.key === "Enter") first?.click();
    });
  }

  /** Take all rooms, as after a greeting. */
  setRooms(rooms) {
    const known = this.#cards;
    this.#cards = new Map(
      rooms.map((room) => {
        const card = known.get(room.node) ?? makeCard(() => this.#choose(room.node));
        return [room.node, { ...card, room }];
      }),
    );
    byId("rooms-button").hidden = rooms.length <= FEW_ROOMS;
    for (const card of this.#cards.values()) showCard(card);
    this.#arrange();
  }

  /** Show what a room said. */
  update(room) {
    const card = this.#cards.get(room.node);
    if (card === undefined) return;
    showCard(card);
    card.item.hidden = !matches(room, byId("room-search").value);
    if (this.#timer === 0) this.#timer = setTimeout(() => this.#arrange(), SORT_MS);
  }

  setVisible(visible) {
    const appears = visible && !this.#visible;
    this.#visible = visible;
    if (appears) this.#arrange();
  }

  /** Put the cards in order, without taking the focus from one that has it. */
  #arrange() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const cards = [...this.#cards.values()].sort((a, b) => compareRooms(a.room, b.room));
    const items = cards.map(({ item }) => item);
    const grid = byId("room-grid");
    if (items.length !== grid.children.length || items.some((item, i) => item !== grid.children[i])) {
      const focused = grid.contains(document.activeElement) ? document.activeElement : null;
      grid.replaceChildren(...items);
      if (focused?.isConnected) focused.focus({ preventScroll: true });
    }
    this.#filter();
  }

  #filter() {
    const search = byId("room-search").value;
    let shown = 0;
    for (const { room, item } of this.#cards.values()) {
      item.hidden = !matches(room, search);
      shown += !item.hidden;
    }
    this.#count(shown);
  }

  #count(shown) {
    const rooms = [...this.#cards.values()].map(({ room }) => room);
    const needing = rooms.filter((room) => attention(room).rank < 2).length;
    const of = shown < rooms.length ? `${shown} of ${rooms.length} rooms` : `${rooms.length} rooms`;
    const text = needing ? `${of} · ${needing} need${needing === 1 ? "s" : ""} attention` : of;
    setText(byId("room-count"), text);
    setText(byId("rooms-attention"), needing ? `${needing}` : "");
    byId("rooms-button").title = needing ? `${needing} of them need attention` : "";
  }
}

function makeCard(choose) {
  const item = document.createElement("li");
  item.innerHTML =
    '<button type="button"><span class="room-head"><b></b> <span class="room-sure"></span></span>' +
    ' <span class="room-now"><span class="dot"></span><span></span></span>' +
    ' <span class="room-attention" hidden></span></button>';
  const now = item.querySelector(".room-now");
  item.firstElementChild.addEventListener("click", choose);
  return {
    item,
    name: item.querySelector("b"),
    dot: now.firstElementChild,
    now: now.lastElementChild,
    sure: item.querySelector(".room-sure"),
    attention: item.querySelector(".room-attention"),
  };
}

function showCard(card) {
  const { document: heard, hello } = card.room;
  const { rank, text } = attention(card.room);
  setText(card.name, card.room.name);
  card.name.title = card.room.name;
  card.dot.style.setProperty("--color", colorOf(hello.colors, heard ? titleOf(heard) : "silence"));
  setText(card.now, heard ? headline(heard) : NO_SOUND);
  setText(card.sure, heard?.state === "music" ? percent(heard.confidence) : "");
  setText(card.attention, text);
  card.attention.hidden = text === "";
  card.item.dataset.rank = rank;
}
