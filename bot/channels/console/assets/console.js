// The console: panes side by side, live updates, skins, the demo's clock.

import { el } from "./dom.js";
import { getJson, postJson, unsent, words } from "./net.js";
import { Pane } from "./pane.js";

const settings = JSON.parse(document.querySelector("#settings").textContent);
const $ = (id) => document.getElementById(id);
const remembered = (name, fallback) => {
  try {
    return JSON.parse(localStorage.getItem(`genjin.${name}`)) ?? fallback;
  } catch {
    return fallback;
  }
};
const remember = (name, value) => {
  try {
    localStorage.setItem(`genjin.${name}`, JSON.stringify(value));
  } catch {
    // private windows keep nothing
  }
};

const panes = [];
let last = 0;
let stream;
let offset = 0;

const shared = {
  people: [],
  samples: settings.samples,
  skin: () => document.querySelector("input[name=skin]:checked").value,
  viewer: (url, person) => (person === settings.visitor ? url : `${url.split("#")[0]}${url.includes("?") ? "&" : "?"}as=${person}${url.includes("#") ? `#${url.split("#")[1]}` : ""}`),
};

async function start() {
  document.querySelector(`input[name=skin][value=${remembered("skin", "wecom")}]`).checked = true;
  $("meters").checked = remembered("meters", false);
  document.body.classList.toggle("with-meters", $("meters").checked);
  for (const one of document.querySelectorAll("input[name=skin]")) {
    one.addEventListener("change", () => {
      remember("skin", shared.skin());
      for (const pane of panes) pane.redraw();
    });
  }
  $("meters").addEventListener("change", () => {
    remember("meters", $("meters").checked);
    document.body.classList.toggle("with-meters", $("meters").checked);
  });
  for (const one of document.querySelectorAll("[data-clock]")) {
    one.addEventListener("click", () => moveClock(JSON.parse(one.dataset.clock)));
  }
  $("add").addEventListener("click", () => {
    const free = shared.people.find((one) => !panes.some((pane) => pane.person === one.id));
    if (free) open(free.id).then(connect);
  });
  setInterval(tick, 5000);
  await begin();
}

async function begin() {
  try {
    const state = await getJson("/console/api/state");
    shared.people = state.people;
    status(state.status);
  } catch (error) {
    connection(words(error.message), true);
    setTimeout(begin, 2000);
    return;
  }
  if (!shared.people.length) {
    $("empty").hidden = false;
    setTimeout(begin, 5000);
    return;
  }
  $("empty").hidden = true;
  for (const person of chosenPeople()) await open(person);
  connect();
  for (const item of await unsent()) panes.find((pane) => pane.person === item.person)?.resume(item);
}

/** Whom we saw last time; else the demo's pair, else a rep and the one above. */
function chosenPeople() {
  const known = new Set(shared.people.map((one) => one.id));
  const before = remembered("panes", []).filter((one) => known.has(one));
  if (before.length) return before;
  const named = (name) => shared.people.find((one) => one.name === name)?.id;
  if (named("李娜") && named("王磊")) return [named("李娜"), named("王磊")];
  const rep = shared.people.find((one) => one.role === "rep") ?? shared.people[0];
  return known.has(rep.manager) ? [rep.id, rep.manager] : [rep.id];
}

async function open(person) {
  const pane = new Pane(
    shared,
    person,
    async (changed) => {
      remember("panes", panes.map((one) => one.person));
      await load(changed);
      connect();
    },
    (closed) => {
      if (panes.length === 1) return;
      panes.splice(panes.indexOf(closed), 1);
      closed.node.remove();
      remember("panes", panes.map((one) => one.person));
      connect();
    },
  );
  panes.push(pane);
  pane.named();
  $("panes").append(pane.node);
  remember("panes", panes.map((one) => one.person));
  await load(pane);
}

async function load(pane) {
  const state = await getJson(`/console/api/state?people=${pane.person}`);
  for (const message of state.messages) pane.show(message);
  // What changed before this answer is in it; the stream may start at the oldest of the panes' states.
  pane.from = state.last;
}

function connect() {
  stream?.close();
  last = Math.min(...panes.map((pane) => pane.from ?? 0));
  const people = [...new Set(panes.map((pane) => pane.person))].join(",");
  stream = new EventSource(`/console/events?people=${people}&after=${last}`);
  stream.addEventListener("open", () => connection("已连接", false));
  stream.addEventListener("error", () => {
    connection("连接断了，正在重连", true);
    if (stream.readyState === EventSource.CLOSED) setTimeout(reconnect, 2000);
  });
  stream.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    for (const pane of panes) {
      if (pane.person === message.person) pane.show(message);
      pane.from = Number(event.lastEventId);
    }
  });
  stream.addEventListener("status", (event) => status(JSON.parse(event.data)));
}

async function reconnect() {
  try {
    status((await getJson("/console/api/state")).status);
    connect();
  } catch (error) {
    connection(error.message === "no_session" ? words("no_session") : "连接断了，正在重连", true);
    setTimeout(reconnect, 3000);
  }
}

function connection(text, alarm) {
  $("connection").textContent = text;
  $("connection").classList.toggle("is-alarm", alarm);
}

function status(now) {
  const speech = now.speech ?? {};
  $("speech").hidden = speech.ready !== false;
  $("speech-words").textContent = speech.words || "现在没有语音识别，录音会存好。请打字补一句，或让管理员看“设置体检”。";
  const queues = now.queues ?? {};
  const parts = [];
  if (speech.ready) parts.push("语音识别可用");
  if (queues.speech) parts.push(`正在听 ${queues.speech} 条`);
  const waiting = (queues.tap ?? 0) + (queues.message ?? 0) + (queues.push ?? 0);
  if (waiting) parts.push(`处理中 ${waiting} 件`);
  $("work").textContent = parts.join(" · ");
  $("parked").hidden = !now.parked;
  $("parked").textContent = `${now.parked} 件停住了，看原因`;
  if (now.clock_offset_s !== undefined) offset = now.clock_offset_s * 1000;
  tick();
}

function tick() {
  if (!settings.demo) return;
  const now = new Date(Date.now() + offset);
  const format = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false });
  const part = Object.fromEntries(format.formatToParts(now).map((one) => [one.type, one.value]));
  $("now").textContent = `${part.month}-${part.day} ${part.weekday} ${part.hour}:${part.minute}`;
}

async function moveClock(body) {
  try {
    status(await postJson("/console/api/clock", body));
  } catch (error) {
    connection(words(error.message), true);
  }
}

start();
