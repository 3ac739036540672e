// The page: takes what the service says to the views, for the room that was chosen.

import { readAddress, writeAddress } from "./address.js";
import { decodeColumn } from "./column.js";
import { Connection } from "./connection.js";
import { percent } from "./format.js";
import { HistoryView } from "./history.js";
import { parse } from "./history-data.js";
import { Kiosk } from "./kiosk.js";
import { LiveView } from "./live.js";
import { Notices } from "./notices.js";
import { keepToOnePress } from "./one-press.js";
import { PAST_HOURS } from "./past.js";
import { RoomGrid } from "./room-grid.js";
import { Rooms } from "./rooms.js";
import { setByHistory } from "./service-time.js";
import { SettingsView } from "./settings.js";
import { Spectrogram } from "./spectrogram.js";
import { TaughtView } from "./taught.js";
import { Teach } from "./teach.js";
import { startTheme, theme } from "./theme.js";
import { get, takeTokenFromAddress } from "./token.js";
import { headline, NO_SOUND } from "./words.js";

const root = document.documentElement;
const byId = (id) => document.getElementById(id);

takeTokenFromAddress();
// Who follows the whole address where the page is open already sees it load no page anew.
addEventListener("hashchange", () => {
  if (takeTokenFromAddress()) location.reload();
});
const connection = new Connection();
const live = new LiveView();
const spectrogram = new Spectrogram();
const notices = new Notices();
const history = new HistoryView(
  (range) => writeAddress({ range: range.name, day: range.day }),
  forget,
);
const rooms = new Rooms(showRoom);
const grid = new RoomGrid((node) => {
  rooms.choose(node);
  show({ view: "live" });
});
const taught = new TaughtView();
const settings = new SettingsView();
const teach = new Teach(() => taught.load());
const kiosk = new Kiosk(() => {
  show({ view: "live" });
  // Where whoever came by keyboard was.
  byId("kiosk").focus({ preventScroll: true });
});
let paused = matchMedia("(prefers-reduced-motion: reduce)").matches;
let spoken = "";
// What the service greeted with.
let hello = {};
let loadsOfPast = 0;

function announce(text) {
  if (text === spoken) return;
  spoken = text;
  byId("announcer").textContent = text;
}

/** Tell the views the genres and colours of a room. */
function greetViews(room) {
  for (const view of [live, spectrogram, history, teach, taught, settings]) view.hello(room.hello);
}

/** Show what is shown already with other genres or colours. */
function followGenres(room) {
  greetViews(room);
  if (room.document) live.show(room.document);
  showPast(room);
  history.redraw();
}

function showRoom() {
  const room = rooms.chosen;
  greetViews(room);
  live.clear(room.name, room.source);
  spectrogram.clear();
  history.setRoom(room);
  teach.setRoom(room.node);
  taught.setRoom(room.node);
  settings.setRoom(room.node);
  entitle(room.document && headline(room.document));
  if (room.document) {
    live.show(room.document);
    teach.show(room.document);
  } else if (room.status?.gone) {
    showGone(room);
  }
  showPast(room);
  showProblems(room);
  followVisibility();
  loadPast(room);
}

/** Say in the browser's tab what is heard, if anything is known. */
function entitle(heard) {
  document.title = heard ? `${heard} · rtgenre` : "rtgenre";
}

function showGone(room) {
  live.showGone(room.name, room.source, room.lastHeard);
  entitle(NO_SOUND);
}

function showPast(room) {
  live.showPast(room.past);
  spectrogram.setPast(room.past.stretches);
}

function showProblems(room) {
  notices.setStatus(room.status);
  notices.setPresence(room.presence);
  notices.setMissing(rooms.missing, room.name);
  const problem = room.presence?.spectrogram_problem ?? null;
  byId("spectrogram-problem").hidden = problem === null;
  byId("spectrogram-problem").textContent = problem === null ? "" : `No spectrogram: ${problem}`;
}

/** Fetch what was played before this page was opened. */
async function loadPast({ node, past }) {
  const load = ++loadsOfPast;
  let stretches;
  try {
    const query = new URLSearchParams({ since: `${PAST_HOURS}h`, node });
    const response = await get(`history?${query}`);
    const answer = await response.json();
    setByHistory(answer);
    stretches = parse(answer);
  } catch {
    return; // Without a history the past begins now.
  }
  // Another room may be shown by now, or a newer answer be on its way.
  if (load !== loadsOfPast || node !== rooms.chosen?.node) return;
  past.fill(stretches);
  showPast(rooms.chosen);
}

/** Something was deleted from a room's history: show what is left. */
function forget(node) {
  if (node !== rooms.chosen.node) return;
  rooms.chosen.past.clear();
  loadPast(rooms.chosen);
}

function receive(message) {
  if (message.type === "hello") {
    hello = message;
    rooms.hello(message);
    grid.setRooms(rooms.all);
    if (message.again && rooms.chosen) followGenres(rooms.chosen);
    return;
  }
  if (message.type === "genres") {
    hello = { ...hello, ...message, type: "hello" };
    rooms.hello({ ...hello, again: true });
    grid.setRooms(rooms.all);
    followGenres(rooms.chosen);
    taught.load();
    return;
  }
  if (message.type === "hub") {
    notices.setHub(message);
    return;
  }
  const room = rooms.update(message);
  if (room !== null) grid.update(room);
  if (room === null || room !== rooms.chosen) return;
  if (message.type === "presence") {
    showProblems(room);
    if (message.problem !== null) announce(message.problem);
    return;
  }
  if (message.type === "status") {
    notices.setStatus(message);
    if (message.gone) showGone(room);
    announce(message.problem ?? message.hint ?? "Sound comes in again");
    return;
  }
  if (message.type !== "state") return;
  live.show(message);
  live.showPast(room.past);
  teach.show(message);
  settings.show(message);
  spectrogram.addState(message);
  speak(message);
}

/** Say a change, not every window. */
function speak(message) {
  const title = headline(message);
  entitle(title);
  if (spoken.startsWith(title)) return;
  announce(message.state === "music" ? `${title}, ${percent(message.confidence)} sure` : title);
}

function followVisibility() {
  const wanted = !paused && !document.hidden && root.dataset.view === "live";
  connection.wantColumns((wanted && rooms.chosen?.node) || null);
  if (wanted) spectrogram.start();
  else spectrogram.stop();
  byId("pause").setAttribute("aria-pressed", paused);
  byId("pause").textContent = paused ? "Go on" : "Pause";
}

/** Show a view, and have it in the address. */
function show(changes) {
  writeAddress(changes);
  followAddress();
}

/** Show what the address says. */
function followAddress() {
  const { view, range, day } = readAddress();
  if (view === "history") history.setRange({ name: range, day });
  root.dataset.view = view;
  byId("live").hidden = view !== "live" && view !== "kiosk";
  byId("all-rooms").hidden = view !== "rooms";
  byId("history").hidden = view !== "history";
  byId("taught").hidden = view !== "taught";
  byId("settings").hidden = view !== "settings";
  for (const button of document.querySelectorAll("[data-view-button]")) {
    button.setAttribute("aria-pressed", button.dataset.viewButton === view);
  }
  history.setVisible(view === "history");
  taught.setVisible(view === "taught");
  grid.setVisible(view === "rooms");
  settings.setVisible(view === "settings");
  kiosk.setOn(view === "kiosk");
  followVisibility();
}

connection.addEventListener("open", () => {
  root.dataset.connection = "open";
  byId("connection-text").textContent = "Connected";
  notices.setConnected(true);
});
connection.addEventListener("lost", ({ detail: reason }) => {
  root.dataset.connection = "lost";
  byId("connection-text").textContent = "Reconnecting …";
  notices.setConnected(false, reason);
  announce("Connection lost");
});
connection.addEventListener("document", ({ detail }) => receive(detail));
connection.addEventListener("column", ({ detail }) => {
  const column = decodeColumn(detail);
  if (column !== null && column.sourceIndex === rooms.chosenIndex) spectrogram.addColumn(column);
});

for (const button of document.querySelectorAll("[data-view-button]")) {
  const view = button.dataset.viewButton;
  button.addEventListener("click", () => {
    show({ view, range: history.range.name, day: history.range.day });
  });
}
byId("kiosk").addEventListener("click", (event) => {
  event.preventDefault();
  show({ view: "kiosk" });
  // Where that is not allowed, the display fills the window.
  root.requestFullscreen?.().catch(() => {});
});
byId("pause").addEventListener("click", () => {
  paused = !paused;
  followVisibility();
});
document.addEventListener("visibilitychange", followVisibility);
startTheme(byId("theme"), () => {
  live.recolor();
  spectrogram.setTheme(theme());
  history.redraw();
});
addEventListener("popstate", () => {
  followAddress();
  rooms.followAddress();
});
keepToOnePress();
followAddress();
connection.start();
