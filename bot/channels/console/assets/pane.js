// One pane: one person's chat with the bot.

import { SKINS } from "./card.js";
import { day, el, linked, newKey, size, time } from "./dom.js";
import { Refused, deliver, postJson, words } from "./net.js";
import { Recording, whyNot } from "./recorder.js";

const MOST = 60 * 1024 * 1024;
const ROLES = { rep: "销售", manager: "销售经理", finance: "财务", director: "总监", engineer: "工程师", trainer: "培训", subscriber: "订阅", admin: "管理员" };
const GIVE_UP_WAITING_MS = 12000;

export class Pane {
  /** shared: {people, samples, skin(), meters(), viewer(person)}; onperson(pane) when another person is chosen. */
  constructor(shared, person, onperson, onclose) {
    this.shared = shared;
    this.person = person;
    this.messages = new Map(); // key -> {data, node}
    this.list = el("div", { class: "messages", role: "log", "aria-live": "polite", "aria-label": "对话", tabindex: "0" });
    this.note = el("p", { class: "pane-note", role: "status" });
    this.text = el("textarea", { rows: "1", placeholder: "说说拜访情况，或：待办、查 客户名、帮助", "aria-label": "要说的话", maxlength: "200000" });
    this.node = el("section", { class: "pane", "aria-label": "对话窗" }, this.head(onperson, onclose), this.list, this.note, this.composer());
    this.node.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.node.classList.add("is-drop");
    });
    this.node.addEventListener("dragleave", () => this.node.classList.remove("is-drop"));
    this.node.addEventListener("drop", (event) => {
      event.preventDefault();
      this.node.classList.remove("is-drop");
      for (const file of event.dataTransfer.files) this.sendFile(file, file.name, false);
    });
    this.text.addEventListener("paste", (event) => {
      for (const file of event.clipboardData?.files ?? []) this.sendFile(file, file.name || "粘贴的图片.png", false);
    });
  }

  head(onperson, onclose) {
    this.avatar = el("span", { class: "avatar", "aria-hidden": "true" });
    this.choice = el(
      "select",
      {
        "aria-label": "这一栏是谁",
        class: "pane-person",
        onchange: () => {
          this.person = Number(this.choice.value);
          this.messages.clear();
          this.list.replaceChildren();
          this.named();
          onperson(this);
        },
      },
      this.shared.people.map((one) => el("option", { value: String(one.id), selected: one.id === this.person }, `${one.name} · ${ROLES[one.role] ?? one.role}`)),
    );
    this.named();
    const close = el("button", { type: "button", class: "icon", title: "关掉这一栏", "aria-label": "关掉这一栏", onclick: () => onclose(this) }, "×");
    return el("header", { class: "pane-head" }, this.avatar, this.choice, close);
  }

  named() {
    const name = this.shared.people.find((one) => one.id === this.person)?.name ?? "";
    this.avatar.textContent = name.slice(-1);
    this.node?.setAttribute("data-person", name);
  }

  composer() {
    const file = el("input", { type: "file", multiple: true, class: "hidden", tabindex: "-1", "aria-hidden": "true" });
    file.addEventListener("change", () => {
      for (const one of file.files) this.sendFile(one, one.name, false);
      file.value = "";
    });
    this.mic = el("button", { type: "button", class: "tool mic", onclick: () => this.record() }, "录音");
    this.recording = el("div", { class: "recording", hidden: true, role: "status" });
    const attach = el("button", { type: "button", class: "tool", onclick: () => file.click() }, "文件");
    const send = el("button", { type: "submit", class: "send" }, "发送");
    const bar = el("div", { class: "tools" }, this.mic, attach, file, this.sampleMenu(), el("span", { class: "hint" }, "可拖入录音、照片、文件"), send);
    const form = el("form", { class: "composer", onsubmit: (event) => this.submit(event) }, this.recording, this.text, bar);
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
    });
    this.text.addEventListener("input", () => {
      this.text.rows = Math.min(6, this.text.value.split("\n").length + Math.floor(this.text.value.length / 60));
    });
    return form;
  }

  sampleMenu() {
    if (!this.shared.samples.length) return undefined;
    const list = el("div", { class: "menu-list" });
    const menu = el("details", { class: "menu" }, el("summary", { class: "tool" }, "示例语音"), list);
    this.shared.samples.forEach(({ title, text }, n) => {
      list.append(
        el(
          "div",
          { class: "menu-row" },
          el("span", { title: text }, title, text ? el("small", { class: "quiet sample-text" }, text) : ""),
          el("audio", { controls: true, preload: "none", src: `/console/sample/${n}` }),
          el(
            "button",
            {
              type: "button",
              class: "tool",
              onclick: () => {
                menu.open = false;
                const key = newKey();
                this.deliver({ key, path: "/console/api/sample", json: { person: this.person, event_key: key, number: n } }, { kind: "voice", file: { name: title, recorded: true, url: `/console/sample/${n}`, type: "audio/ogg" } });
              },
            },
            "发送",
          ),
        ),
      );
    });
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
    });
    return menu;
  }

  // --- what the person does ---------------------------------------------------------------------

  submit(event) {
    event.preventDefault();
    const text = this.text.value;
    if (!text.trim()) return;
    this.text.value = "";
    this.text.rows = 1;
    const key = newKey();
    this.deliver({ key, path: "/console/api/say", json: { person: this.person, event_key: key, text } }, { kind: "text", text });
  }

  sendFile(blob, name, recorded) {
    if (blob.size > MOST) {
      this.say(`“${name}”有 ${size(blob.size)}，超过 60 MB，发不了。请剪短或分几段再发。`, true);
      return;
    }
    const key = newKey();
    const query = new URLSearchParams({ person: String(this.person), event_key: key, name, recorded: recorded ? "1" : "0" });
    const kind = blob.type.startsWith("image/") ? "photo" : recorded || blob.type.startsWith("audio/") ? "voice" : "file";
    this.deliver({ key, path: `/console/api/upload?${query}`, blob }, { kind, file: { name, recorded, size: blob.size, type: blob.type, url: URL.createObjectURL(blob) } });
  }

  /** Show at once as “发送中”, and send until the server has it. */
  async deliver(item, shown) {
    const key = `in:${item.key}`;
    const data = { key, mine: true, at: null, ...shown };
    this.show(data, "发送中…");
    try {
      const kept = { ...item, keep: true, person: this.person, shown: { ...shown, file: shown.file && { ...shown.file, url: "" } } };
      const answer = await deliver(kept, (why) => this.state(key, why, true));
      this.show(answer.message);
    } catch (error) {
      this.state(key, error instanceof Refused ? words(error.message) : "没发出去。", true);
    }
  }

  /** Something left over from before the page was closed. */
  resume(item) {
    this.deliver(item, item.shown);
  }

  async tap(card, node, given) {
    const body = { person: this.person, event_key: newKey(), card_id: card.id, ...given };
    node.classList.add("is-waiting");
    const locked = [...node.querySelectorAll("button, select, input")].filter((one) => !one.disabled);
    for (const one of locked) one.disabled = true;
    const state = node.querySelector(".card-state");
    state.textContent = "发送中…";
    const free = () => {
      node.classList.remove("is-waiting");
      state.textContent = "";
      for (const one of locked) one.disabled = false;
    };
    try {
      await deliver({ key: body.event_key, path: "/console/api/tap", json: body }, (why) => (state.textContent = why));
      state.textContent = "已收到，正在处理…";
      this.freeing = free; // the next answer to this person ends the waiting
      setTimeout(free, GIVE_UP_WAITING_MS);
    } catch (error) {
      free();
      state.textContent = words(error.message);
    }
  }

  async record() {
    const why = whyNot();
    if (why) return this.say(why, true);
    this.mic.disabled = true;
    try {
      const now = await Recording.start();
      this.recordingBar(now);
    } catch (error) {
      this.say(error.message, true);
      this.mic.disabled = false;
    }
    return undefined;
  }

  recordingBar(now) {
    const seconds = el("b", {}, "0 秒");
    const tick = setInterval(() => {
      const s = Math.floor(now.length / 1000);
      seconds.textContent = s < 60 ? `${s} 秒` : `${Math.floor(s / 60)} 分 ${String(s % 60).padStart(2, "0")} 秒`;
    }, 250);
    const end = () => {
      clearInterval(tick);
      this.recording.hidden = true;
      this.recording.replaceChildren();
      this.mic.disabled = false;
      this.mic.focus();
    };
    const send = el(
      "button",
      {
        type: "button",
        class: "send",
        onclick: async () => {
          send.disabled = true;
          const blob = await now.stop();
          end();
          const name = `录音-${new Date().toTimeString().slice(0, 8).replaceAll(":", "")}.${now.suffix}`;
          this.sendFile(blob, name, true);
        },
      },
      "说完了，发送",
    );
    const cancel = el("button", { type: "button", class: "tool", onclick: () => (now.cancel(), end()) }, "取消");
    this.recording.replaceChildren(el("span", { class: "dot", "aria-hidden": "true" }), "正在录音 ", seconds, cancel, send);
    this.recording.hidden = false;
    send.focus();
  }

  // --- what is shown ----------------------------------------------------------------------------

  say(text, alarm = false) {
    this.note.textContent = text;
    this.note.classList.toggle("is-alarm", alarm);
  }

  state(key, text, alarm = false) {
    const known = this.messages.get(key);
    if (!known || known.data.at) return; // the server has it: only its answer was lost
    const state = known.node.querySelector(".state");
    state.textContent = text;
    state.classList.toggle("is-alarm", alarm);
  }

  /** Draw a message, or draw it again where it stands. */
  show(data, state = "") {
    const before = this.messages.get(data.key);
    if (before?.data.changed >= data.changed) return;
    if (!data.mine && this.freeing) {
      this.freeing();
      this.freeing = undefined;
    }
    const low = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    const again = before && data.kind === "card" && before.data.card.version !== data.card.version;
    const node = this.bubble(data, state);
    if (again) node.classList.add("is-fresh");
    if (before) before.node.replaceWith(node);
    else this.list.insertBefore(node, this.follower(data));
    this.messages.set(data.key, { data, node });
    this.dates();
    if (low || (data.mine && !before)) this.list.scrollTop = this.list.scrollHeight;
    else if (again) node.scrollIntoView({ block: "nearest" });
  }

  /** The message that comes after *data*: by time, then by number; what is being sent comes last. */
  follower(data) {
    if (!data.at) return null;
    const order = (one) => [one.at ?? "9", one.id ?? Infinity];
    const [at, id] = order(data);
    let found = null;
    for (const { data: other, node } of this.messages.values()) {
      const [otherAt, otherId] = order(other);
      const after = otherAt > at || (otherAt === at && otherId > id);
      if (after && (!found || node.compareDocumentPosition(found) & Node.DOCUMENT_POSITION_FOLLOWING)) found = node;
    }
    return found;
  }

  dates() {
    let last = "";
    for (const node of this.list.children) {
      const at = node.dataset.at;
      const today = at ? day(at) : last;
      if (today !== last) node.dataset.day = today;
      else delete node.dataset.day;
      last = today;
    }
  }

  bubble(data, state) {
    const content = data.kind === "card" ? this.card(data.card) : this.content(data);
    const received = data.at ? `${time(data.at)}${data.mine ? " 已收到 ✓" : ""}` : state;
    const updated = data.kind === "card" && data.card.version > 1 ? ` · ${time(data.card.drawn_at)} 更新` : "";
    return el(
      "article",
      { class: `message ${data.mine ? "is-mine" : "is-bot"} kind-${data.kind}`, "data-key": data.key, "data-at": data.at },
      el("div", { class: "bubble" }, content),
      el("div", { class: "state" }, received + updated),
    );
  }

  card(card) {
    const tools = { open: (url, child, name) => this.link(url, child, name), tap: (given) => this.tap(card, node, given) };
    const node = SKINS[this.shared.skin()](card, tools);
    node.append(el("div", { class: "card-state", role: "status" }));
    return node;
  }

  content(data) {
    if (data.kind === "text") return el("div", { class: "text" }, linked(data.text, (url) => this.link(url, url)));
    const { file } = data;
    const about = el("div", { class: "file-name" }, file.recorded ? "语音" : file.name, file.size ? el("span", { class: "quiet" }, ` ${size(file.size)}`) : "");
    const url = file.url || undefined;
    if (data.kind === "photo" && url) return el("figure", { class: "photo" }, el("a", { href: url, target: "_blank", rel: "noopener" }, el("img", { src: url, alt: file.name })), about);
    if (data.kind === "voice" && url && playable(file.type)) return el("div", { class: "voice" }, about, el("audio", { controls: true, preload: "none", src: url }));
    return el("div", { class: "file" }, about, url && data.at ? el("a", { href: url, download: file.name }, "下载") : "");
  }

  /** Pages open in a tab of their own, as the person of this pane. */
  link(url, child, name) {
    const local = url.startsWith("/");
    const href = local ? this.shared.viewer(url, this.person) : url;
    return el("a", { href, target: "_blank", rel: "noopener", class: name }, child);
  }

  /** Draw the cards again, in the other skin. */
  redraw() {
    const low = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    for (const { data, node } of [...this.messages.values()]) {
      if (data.kind !== "card") continue;
      const fresh = this.bubble(data, "");
      node.replaceWith(fresh);
      this.messages.set(data.key, { data, node: fresh });
    }
    this.dates();
    if (low) this.list.scrollTop = this.list.scrollHeight;
  }
}

const playable = (type) => !!type && document.createElement("audio").canPlayType(type.split(";")[0]) !== "";
