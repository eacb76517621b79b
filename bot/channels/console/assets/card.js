// Cards, drawn from the payloads that WeCom and DingTalk get.  tools: {open(url, text), tap({...})}.

import { el } from "./dom.js";

/** A text of the payload; its meter says how full the field is, and is red beyond the limit. */
function field(meters, path, tag, name, ...content) {
  const made = el(tag, { class: name }, ...content);
  const found = meters[path];
  if (!found) return made;
  const [used, limit, unit] = found;
  const over = used > limit;
  made.classList.toggle("over", over);
  const unitWord = { chars: "字", bytes: "字节", items: "个" }[unit];
  made.title = `${used}/${limit} ${unitWord}`;
  made.append(
    el(
      "span",
      { class: over ? "meter is-over" : "meter", "aria-hidden": "true" },
      el("meter", { min: "0", max: String(limit), high: String(limit * 0.9), optimum: "0", value: String(Math.min(used, limit)) }),
      `${used}/${limit}`,
    ),
  );
  return made;
}

/** “新值（原 旧值）” with the old value struck through. */
function value(text) {
  const found = /^([\s\S]*)（原 ([\s\S]*)）$/.exec(text);
  return found ? [found[1], el("span", { class: "was" }, "（原 ", el("s", {}, found[2]), "）")] : [text];
}

function row(key, content, source, extra = "") {
  return el(
    "div",
    { class: "card-row" },
    key,
    el("div", { class: "card-value" }, content, source ? el("div", { class: "source", title: "原话" }, `“${source}”`) : "", extra),
  );
}

function select(id, title, options, selected) {
  const input = el("select", { name: id, "aria-label": title }, options.map((one) => el("option", { value: one.id, selected: one.id === selected }, one.text)));
  return input;
}

// --- WeCom --------------------------------------------------------------------------------------

const COLOURS = { 0: "grey", 1: "black", 2: "red", 3: "green" };

function tapOf(key) {
  const [action, nonce = "", arg = ""] = key.split("|");
  return { action, nonce, arg };
}

export function wecom(card, tools) {
  const data = card.wecom;
  const meters = card.meters.wecom;
  const text = (path, tag, name, ...content) => field(meters, path, tag, name, ...content);
  const parts = [text("source.desc", "div", `card-source is-${COLOURS[data.source.desc_color]}`, data.source.desc)];
  const title = text("main_title.title", "h3", "card-title", data.main_title.title);
  parts.push(data.card_action ? tools.open(data.card_action.url, title, "card-open") : title);
  if (data.main_title.desc) parts.push(text("main_title.desc", "p", "card-desc", data.main_title.desc));
  if (data.card_image) parts.push(el("img", { class: "card-image", src: data.card_image.url, alt: "" }));
  if (data.emphasis_content) {
    parts.push(text("emphasis_content.title", "div", "card-big", data.emphasis_content.title));
    if (data.emphasis_content.desc) parts.push(text("emphasis_content.desc", "div", "card-big-note", data.emphasis_content.desc));
  }
  if (data.quote_area) {
    parts.push(
      el(
        "blockquote",
        { class: "card-quote" },
        text("quote_area.title", "div", "card-quote-title", data.quote_area.title),
        text("quote_area.quote_text", "div", "", data.quote_area.quote_text),
      ),
    );
  }
  if (data.sub_title_text) parts.push(text("sub_title_text", "p", "card-body", data.sub_title_text));
  const rows = data.horizontal_content_list ?? [];
  if (rows.length) {
    parts.push(
      el(
        "div",
        { class: "card-rows" },
        rows.map((one, n) => {
          const path = `horizontal_content_list.${n}`;
          const shown = text(`${path}.value`, "span", "", value(one.value));
          return row(
            text(`${path}.keyname`, "div", "card-key", one.keyname),
            one.url ? tools.open(one.url, shown) : shown,
            one.keyname === "更多" ? "" : card.sources[n],
          );
        }),
      ),
    );
  }
  for (const [n, one] of (data.vertical_content_list ?? []).entries()) {
    parts.push(text(`vertical_content_list.${n}.title`, "h4", "card-vertical", one.title));
    parts.push(text(`vertical_content_list.${n}.desc`, "p", "card-body", one.desc));
  }
  parts.push(...wecomInputs(card, data, text, tools));
  for (const [n, one] of (data.jump_list ?? []).entries()) {
    parts.push(tools.open(one.url, text(`jump_list.${n}.title`, "span", "", one.title), "card-jump"));
  }
  if (data.action_menu) {
    parts.push(
      el("div", { class: "card-buttons" }, data.action_menu.action_list.map((one) => button(one.text, "plain", () => tools.tap({ ...tapOf(one.key), values: {} })))),
    );
  }
  return el("form", { class: "card skin-wecom", onsubmit: (event) => event.preventDefault() }, parts);
}

function wecomInputs(card, data, text, tools) {
  const parts = [];
  const chosen = () => {
    const values = {};
    for (const one of [...(data.select_list ?? []), ...(data.button_selection ? [data.button_selection] : [])]) {
      values[one.question_key] = form().elements.namedItem(one.question_key).value;
    }
    if (data.checkbox) {
      values[data.checkbox.question_key] = [...form().querySelectorAll("input:checked")].map((one) => one.value);
    }
    return values;
  };
  const anchor = el("span", {});
  const form = () => anchor.closest("form");
  parts.push(anchor);
  for (const [n, one] of [...(data.select_list ?? []), ...(data.button_selection ? [data.button_selection] : [])].entries()) {
    const path = data.select_list ? `select_list.${n}.title` : "button_selection.title";
    parts.push(el("label", { class: "card-question" }, text(path, "span", "card-key", one.title), select(one.question_key, one.title, one.option_list, one.selected_id)));
  }
  if (data.checkbox) {
    const kind = data.checkbox.mode === 1 ? "checkbox" : "radio";
    parts.push(
      el(
        "div",
        { class: "card-checks" },
        data.checkbox.option_list.map((one, n) =>
          el(
            "label",
            { class: "card-check" },
            el("input", { type: kind, name: data.checkbox.question_key, value: one.id, checked: one.is_checked }),
            text(`checkbox.option_list.${n}.text`, "span", "", one.text),
          ),
        ),
      ),
    );
  }
  const buttons = (data.button_list ?? []).map((one, n) => {
    const label = text(`button_list.${n}.text`, "span", "", one.text);
    if (one.type === 1) return tools.open(one.url, label, "card-button is-plain");
    const look = { 1: "main", 3: "danger" }[one.style] ?? "plain";
    return button(label, look, () => tools.tap({ ...tapOf(one.key), values: chosen() }));
  });
  if (data.submit_button) {
    buttons.push(button(text("submit_button.text", "span", "", data.submit_button.text), "main", () => tools.tap({ ...tapOf(data.submit_button.key), values: chosen() })));
  }
  if (buttons.length) parts.push(el("div", { class: "card-buttons" }, buttons));
  return parts;
}

function button(label, look, act) {
  return el("button", { type: "button", class: `card-button is-${look}`, onclick: act }, label);
}

// --- DingTalk -----------------------------------------------------------------------------------

const INPUTS = { TEXT: "text", NUMBER: "number", DATE: "date", TEXT_AREA: "text", TIME: "time" };

export function dingtalk(card, tools) {
  const data = card.dingtalk;
  const meters = card.meters.dingtalk;
  const text = (path, tag, name, ...content) => field(meters, path, tag, name, ...content);
  const parts = [text("src", "div", "card-source", data.src)];
  const title = text("title", "h3", "card-title", data.title);
  parts.push(data.url ? tools.open(data.url, title, "card-open") : title);
  if (data.desc) parts.push(text("desc", "p", "card-desc", data.desc));
  if (data.img) parts.push(el("img", { class: "card-image", src: data.img, alt: "" }));
  if (data.big) parts.push(text("big", "div", "card-big", data.big), text("big_note", "div", "card-big-note", data.big_note));
  if (data.body) parts.push(text("body", "p", "card-body", data.body));
  const rows = JSON.parse(data.rows || "[]");
  if (rows.length) {
    parts.push(
      text(
        "rows",
        "div",
        "card-rows",
        rows.map((one, n) => {
          const shown = [one.v, one.old ? el("s", { class: "was" }, one.old) : ""];
          return row(el("div", { class: "card-key" }, one.k), one.url ? tools.open(one.url, el("span", {}, shown)) : shown, one.k === "更多" || one.k === "链接" ? "" : card.sources[n]);
        }),
      ),
    );
  }
  const anchor = el("div", { class: "card-fields" });
  const fields = data.form ? JSON.parse(data.form).fields : [];
  anchor.append(...fields.filter((one) => !one.hidden).map(dingField));
  if (fields.length) parts.push(text("form", "div", "", anchor));
  const values = () => {
    const found = {};
    for (const one of fields.filter((each) => !each.hidden)) {
      const inputs = [...anchor.querySelectorAll(`[name="${CSS.escape(one.name)}"]`)];
      found[one.name] = one.type === "MULTI_CHECKBOX_GROUP" ? inputs.filter((each) => each.checked).map((each) => each.value) : inputs[0].value;
    }
    return found;
  };
  const buttons = [1, 2, 3]
    .filter((n) => data[`btn${n}`])
    .map((n) => {
      const label = text(`btn${n}.text`, "span", "", data[`btn${n}`]);
      if (data.status !== "pending") return el("button", { type: "button", class: "card-button is-dead", disabled: true }, label);
      const given = JSON.parse(data[`p${n}`] || "{}");
      if (!given.a) return tools.open(data.url, label, "card-button is-plain");
      return button(label, n === 1 ? "main" : "plain", () => tools.tap({ action: given.a, nonce: given.n, arg: given.g ?? "", values: values() }));
    });
  if (buttons.length) parts.push(el("div", { class: "card-buttons" }, buttons));
  if (data.foot) parts.push(text("foot", "p", "card-foot", data.foot));
  return el("form", { class: `card skin-dingtalk is-${data.status}`, onsubmit: (event) => event.preventDefault() }, parts);
}

function dingField(one) {
  const label = el("span", { class: "card-key" }, one.label);
  if (one.type === "SELECT") {
    const options = one.options.map((option) => ({ id: option.value, text: option.text }));
    return el("label", { class: "card-question" }, label, select(one.name, one.label, options, one.defaultValue));
  }
  if (one.type === "MULTI_CHECKBOX_GROUP") {
    return el(
      "fieldset",
      { class: "card-checks" },
      el("legend", {}, one.label),
      one.options.map((option) => el("label", { class: "card-check" }, el("input", { type: "checkbox", name: one.name, value: option.value }), option.text)),
    );
  }
  return el("label", { class: "card-question" }, label, el("input", { type: INPUTS[one.type] ?? "text", name: one.name, value: one.defaultValue ?? "", step: "any" }));
}

export const SKINS = { wecom, dingtalk };
