// Small helpers: elements without markup strings, so that nothing people typed can become markup.

/** el("div", {class: "row", onclick: f}, "text", child): undefined and null are left out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

const ZONE = "Asia/Shanghai";
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });
const date = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, month: "2-digit", day: "2-digit", weekday: "short" });

export const time = (at) => clock.format(new Date(at));

/** 11-20 周五 */
export function day(at) {
  const parts = Object.fromEntries(date.formatToParts(new Date(at)).map((part) => [part.type, part.value]));
  return `${parts.month}-${parts.day} ${parts.weekday}`;
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} 字节`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

export const newKey = () =>
  crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

/** Text with its addresses as links: https://… and our own pages /c/12, /m/3, /today. */
export function linked(text, open) {
  const parts = text.split(/(https?:\/\/[^\s，。；、）]+|(?<![\w/])\/(?:c|m|go|d)\/[\w-]+|(?<![\w/])\/(?:today|jobs)\b)/);
  return parts.map((part, n) => (n % 2 ? open(part) : part));
}
