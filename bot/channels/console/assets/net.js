// What a person sends is kept in the browser until the server said that it is stored: it is tried
// again with the same key, which the server takes once.

const token = document.querySelector("meta[name=token]").content;
const FINAL = new Set([400, 404, 405, 409, 413]);
const WORDS = {
  no_session: "登录已过期。请在终端运行 genjin link，用新链接打开；没发出去的内容还在，会接着发。",
  foreign: "页面已过期，请刷新后再试。",
  not_yours: "这不是你的对话，不能代发。",
  too_big: "文件超过 60 MB，请剪短或分几段再发。",
  storage_full: "服务器磁盘满了，还没存进去；腾出空间后会自动重发。",
  starting: "程序正在启动，马上重发。",
};

export const words = (error) => WORDS[error] ?? "没发出去，正在重试。";

export class Refused extends Error {}

let database;
function store() {
  database ??= new Promise((resolve) => {
    if (!window.indexedDB) return resolve(null);
    const open = indexedDB.open("genjin", 1);
    open.onupgradeneeded = () => open.result.createObjectStore("queue", { keyPath: "key" });
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => resolve(null); // private windows: then memory only
  });
  return database;
}

async function onStore(mode, work) {
  const db = await store();
  if (!db) return undefined;
  return new Promise((resolve) => {
    const request = work(db.transaction("queue", mode).objectStore("queue"));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  });
}

/** Everything that was not acknowledged before the page was closed. */
export const unsent = async () => (await onStore("readonly", (queue) => queue.getAll())) ?? [];

export async function getJson(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(body.error ?? "");
  return body;
}

/** One try. */
export async function postJson(path, body) {
  return attempt({ path, json: body });
}

async function attempt(item) {
  const headers = { "X-Genjin-Token": token };
  if (item.json) headers["Content-Type"] = "application/json";
  const answer = await fetch(item.path, {
    method: "POST",
    headers,
    body: item.json ? JSON.stringify(item.json) : item.blob,
  });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  if (FINAL.has(answer.status) || (answer.status === 403 && body.error !== "no_session")) {
    throw new Refused(body.error ?? "bad_request");
  }
  throw new Error(body.error ?? "");
}

/**
 * Send until it is stored.  item: {key, path, json | blob, keep, ...}; with keep it outlives the page.
 * tell(words) is called when a try failed.
 */
export async function deliver(item, tell) {
  if (item.keep) await onStore("readwrite", (queue) => queue.put(item));
  for (let wait = 400; ; wait = Math.min(wait * 2, 8000)) {
    try {
      const answer = await attempt(item);
      if (item.keep) await onStore("readwrite", (queue) => queue.delete(item.key));
      return answer;
    } catch (error) {
      if (error instanceof Refused) {
        if (item.keep) await onStore("readwrite", (queue) => queue.delete(item.key));
        throw error;
      }
      tell(words(error.message));
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
