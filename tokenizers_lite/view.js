"use strict";
// Tokens under the pointer, the finger or the arrow keys, with what every model makes of the same text.
const models = JSON.parse(document.getElementById("data").textContent);
const info = document.getElementById("info");
const encoder = new TextEncoder();
const hex = (text) => [...encoder.encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
let pinned = false;

models.forEach((model, number) => {
  model.pre = document.getElementById("tokens" + number);
  model.groups = [...model.pre.getElementsByTagName("i")];
  model.first = [];
  let token = 0;
  model.groups.forEach((element, at) => {
    model.first.push(token);
    element.at = at;
    token += Number(element.dataset.n || 1);
  });
  model.first.push(token);
});

// The characters of the text that a group of tokens covers.
function range(model, group) {
  let start = Infinity, end = 0;
  for (let token = model.first[group]; token < model.first[group + 1]; token++) {
    start = Math.min(start, model.offsets[2 * token]);
    end = Math.max(end, model.offsets[2 * token + 1]);
  }
  return [start, end];
}

// The text itself: a page cannot hold NUL, so only its sign is there.
function textOf(element) {
  return [...element.childNodes].map((node) => (node.dataset?.c === "\\0" ? "\0" : node.textContent)).join("");
}

function cell(row, text, tag) {
  const made = row.appendChild(document.createElement("td"));
  (tag ? made.appendChild(document.createElement(tag)) : made).textContent = text;
  return made;
}

function describe(body, model, group) {
  const element = model.groups[group];
  const shared = Number(element.dataset.n || 1) > 1;
  for (let token = model.first[group]; token < model.first[group + 1]; token++) {
    const id = model.ids[token], [start, end] = model.offsets.slice(2 * token, 2 * token + 2);
    const row = body.insertRow();
    const name = row.appendChild(document.createElement("th"));
    name.scope = "row";
    name.textContent = model.name;
    cell(row, id);
    cell(row, model.tokens[id], "code");
    cell(row, start + "–" + end);
    cell(row, shared ? model.bytes[id] : hex(textOf(element)), "code");
    cell(row, element.dataset.k || "");
  }
}

function show(model, group) {
  document.querySelectorAll("i.o").forEach((element) => element.classList.remove("o"));
  model.current = group;
  const [start, end] = range(model, group);
  const body = document.createElement("tbody");
  const mark = (other, at) => {
    other.groups[at].classList.add("o");
    describe(body, other, at);
  };
  mark(model, group);
  for (const other of models) {
    if (other === model || start === end) continue;
    for (let at = 0; at < other.groups.length; at++) {
      const [a, b] = range(other, at);
      if (a >= end && b > a) break;
      if (a < end && b > start) mark(other, at);
    }
  }
  info.querySelector("table").hidden = false;
  info.querySelector("p").hidden = true;
  info.querySelector("tbody").replaceWith(body);
}

function clear() {
  pinned = false;
  document.querySelectorAll("i.o").forEach((element) => element.classList.remove("o"));
  info.querySelector("table").hidden = true;
  info.querySelector("p").hidden = false;
}

models.forEach((model) => {
  const group = (event) => event.target.closest("i");
  model.pre.addEventListener("pointerover", (event) => {
    if (!pinned && event.pointerType === "mouse" && group(event)) show(model, group(event).at);
  });
  model.pre.addEventListener("click", (event) => {
    if (!group(event) || String(getSelection())) return;
    pinned = !(pinned && group(event).classList.contains("o"));
    show(model, group(event).at);
  });
  model.pre.addEventListener("focus", () => {
    if (model.groups.length && model.pre.matches(":focus-visible")) show(model, model.current || 0);
  });
  model.pre.addEventListener("keydown", (event) => {
    const last = model.groups.length - 1, now = model.current || 0;
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0 || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(model, Math.max(0, Math.min(last, to)));
    model.groups[model.current].scrollIntoView({ block: "nearest" });
  });
  const button = model.pre.parentNode.querySelector("button");
  button.addEventListener("click", async () => {
    await copy("[" + model.ids.join(", ") + "]");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy ids"), 1500);
  });
});
document.addEventListener("keydown", (event) => event.key === "Escape" && clear());

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // not allowed for pages from a file, in some browsers
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
