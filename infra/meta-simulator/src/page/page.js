// Keeps the page of phones in step with the simulator.
"use strict";

// As many phones as the simulator tells of when the page opens. A campaign brings more than anybody can look through.
const MAX_PHONES = 100;

const phones = new Map(); // number → { messages: Map(id → message), unread }
const notices = [];
let chosen = null;
let webhook = null;
let hiddenNotices = 0;

/* ---- what the simulator tells ---- */

// Whether the message was known; nothing when it is only the next status of one that is no longer shown.
function take(message, isNew) {
  let phone = phones.get(message.phone);
  if (!phone) {
    if (isNew && message.status !== (message.from_customer ? "delivered" : "accepted")) return undefined;
    phone = { messages: new Map(), unread: 0 };
  }
  const known = phone.messages.has(message.id);
  phone.messages.set(message.id, message);
  if (!known) {
    // Last in the map is last active: the list shows it first.
    phones.delete(message.phone);
    phones.set(message.phone, phone);
    if (isNew && !message.from_customer && message.phone !== chosen) phone.unread += 1;
    forgetOldPhones();
  }
  return known;
}

// The chat that is open stays.
function forgetOldPhones() {
  for (const number of phones.keys()) {
    if (phones.size <= MAX_PHONES) return;
    if (number !== chosen) phones.delete(number);
  }
}

const acts = {
  snapshot(all) {
    phones.clear();
    notices.length = 0;
    hiddenNotices = 0;
    all.messages.forEach((message) => take(message, false));
    notices.push(...all.notices);
    webhook = all.webhook;
    byId("curl").textContent = command(all.account, '"type":"text","text":{"body":"Hello!"}');
    if (!phones.has(chosen)) chosen = null;
    if (!chosen && wide.matches) chosen = newestPhone();
    showAll();
  },
  message(message) {
    const known = take(message, true);
    if (known === undefined) return;
    if (!chosen && wide.matches) {
      choose(message.phone);
    } else if (message.phone === chosen) {
      showMessage(message, !known);
    }
    soon(showPhones);
  },
  notice(notice) {
    notices.push(notice);
    if (notices.length > 100) {
      notices.shift();
      hiddenNotices = Math.max(0, hiddenNotices - 1);
    }
    soon(showNotices);
  },
  webhook(state) {
    webhook = state.webhook;
    showAnswer();
  },
  reset() {
    phones.clear();
    notices.length = 0;
    hiddenNotices = 0;
    chosen = null;
    quote(null);
    showAll();
  },
};

/* ---- the list of phones ---- */

const wide = matchMedia("(min-width: 46.01rem)");
const newestPhone = () => [...phones.keys()].pop() ?? null;

function showAll() {
  showPhones();
  showChat();
  showNotices();
}

// A campaign brings hundreds of messages a second; a list is drawn a few times a second, and at once when it is calm.
const PACE = 200;
const due = new Set();
const drawn = new Map();
function soon(show) {
  if (due.has(show)) return;
  due.add(show);
  setTimeout(() => {
    due.delete(show);
    drawn.set(show, performance.now());
    show();
  }, Math.max(0, (drawn.get(show) ?? -PACE) + PACE - performance.now()));
}

function showPhones() {
  const columns = document.querySelector(".columns");
  columns.classList.toggle("alone", phones.size === 0);
  columns.classList.toggle("open", chosen !== null);
  const focused = document.activeElement?.closest?.("#phones button")?.dataset.number;
  const items = [...phones].reverse().map(([number, phone]) => {
    const last = [...phone.messages.values()].pop();
    const button = element("button");
    button.type = "button";
    button.dataset.number = number;
    if (number === chosen) button.setAttribute("aria-current", "true");
    button.append(
      element("span", "number", written(number)),
      element("span", "when", time(last.at)),
      element("span", "last", (last.from_customer ? "Customer: " : "") + summary(last)),
    );
    if (phone.unread) {
      const unread = element("span", "new", String(phone.unread));
      unread.setAttribute("aria-label", phone.unread + " new");
      button.append(unread);
    }
    const item = element("li");
    item.append(button);
    return item;
  });
  byId("phones").replaceChildren(...items);
  byId("phones-more").hidden = phones.size < MAX_PHONES;
  if (focused) document.querySelector(`#phones button[data-number="${CSS.escape(focused)}"]`)?.focus();
  const total = [...phones.values()].reduce((sum, phone) => sum + phone.unread, 0);
  document.title = (total ? `(${total}) ` : "") + "Phones – Meta simulator";
}

function summary(message) {
  if (message.type === "template") return `Template ${message.content?.name}`;
  if (message.type === "text") return message.text;
  const kind = message.type.charAt(0).toUpperCase() + message.type.slice(1);
  return message.text ? `${kind}: ${message.text}` : kind;
}

function choose(number) {
  chosen = number;
  const phone = phones.get(number);
  if (phone) phone.unread = 0;
  byId("answer-problem").hidden = true;
  quote(null);
  showPhones();
  showChat();
}

/* ---- one chat ---- */

function showChat() {
  const phone = phones.get(chosen);
  byId("empty").hidden = phones.size > 0;
  byId("pick").hidden = phones.size === 0 || Boolean(phone);
  byId("conversation").hidden = !phone;
  if (!phone) return;
  byId("chat-title").textContent = written(chosen);
  byId("messages").replaceChildren(...[...phone.messages.values()].map(bubble));
  showAnswer();
  toEnd();
}

function toEnd() {
  const list = byId("messages");
  list.scrollTop = list.scrollHeight;
}

function showMessage(message, isNew) {
  const list = byId("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const shown = bubble(message);
  if (isNew) {
    shown.classList.add("fresh");
    list.append(shown);
  } else {
    // Only the ticks change, and the foot alone is replaced: the text is not read out again.
    const old = list.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
    if (!old) return;
    old.classList.toggle("failed", message.status === "failed");
    old.querySelector(".foot").replaceWith(foot(message));
  }
  if (atEnd) toEnd();
}

function bubble(message) {
  const item = element("article", "message" + (message.from_customer ? " customer" : ""));
  item.classList.toggle("failed", message.status === "failed");
  item.dataset.id = message.id;
  if (message.reply_to) {
    const quoted = phones.get(message.phone)?.messages.get(message.reply_to);
    item.append(element("p", "quote", quoted ? summary(quoted) : "In reply to another message"));
  }
  item.append(...content(message).filter(Boolean));
  const offered = choices(message);
  if (offered) item.append(offered);
  item.append(foot(message));
  item.append(actions(message));
  return item;
}

// What the customer can do with a message of the business, and with one of their own. Which one it is stands on the item
// around it.
function actions(message) {
  const line = element("p", "acts");
  const acts = message.from_customer
    ? [["edit", "Edit"], ["revoke", "Delete"]]
    : [["reply", "Reply"], ["reaction", "React"]];
  for (const [act, name] of acts) {
    const button = element("button", "", name);
    button.type = "button";
    button.dataset.act = act;
    line.append(button);
  }
  return line;
}

function choices(message) {
  if (!message.choices?.length) return null;
  const list = element("ul", "choices");
  message.choices.forEach((choice, position) => {
    const item = element("li");
    if (choice.answer) {
      const button = element("button", "", choice.label);
      button.type = "button";
      button.dataset.choice = position;
      item.append(button);
    } else {
      item.className = "still";
      item.textContent = choice.label;
    }
    list.append(item);
  });
  return list;
}

const TICKS = {
  accepted: ["○", "accepted by Meta"],
  sent: ["✓", "sent"],
  delivered: ["✓✓", "delivered"],
  read: ["✓✓", "read"],
  played: ["✓✓", "played"],
};

function foot(message) {
  const line = element("p", "foot");
  line.append(element("time", "", time(message.at)));
  if (message.status === "failed") {
    line.append(element("span", "tick failed", "failed with " + message.error));
  } else if (!message.from_customer || message.status === "read") {
    const [sign, meaning] = TICKS[message.status];
    const tick = element("span", "tick " + message.status, sign);
    tick.setAttribute("role", "img");
    tick.setAttribute("aria-label", meaning);
    tick.title = meaning;
    line.append(tick);
  }
  return line;
}

/* ---- each type of message ---- */

function content(message) {
  const it = message.content ?? {};
  switch (message.type) {
    case "text":
      return [element("p", "body", it.body)];
    case "location":
      return place(it);
    case "template":
      return template(message);
    case "interactive":
      return message.from_customer ? tapped(message) : interactive(it);
    case "button":
      return tapped(message);
    case "edit":
      return [element("p", "kind", "Changed an earlier message to"), element("p", "body", message.text)];
    case "revoke":
      return [element("p", "kind", "Took an earlier message back")];
    case "contacts":
      return [it].flat().flatMap(card);
    case "reaction":
      return [it.emoji ? element("p", "emoji", it.emoji) : element("p", "kind", "Took a reaction back")];
    default:
      if (message.type in MEDIA_NAMES) return media(message.type, it);
      return [element("p", "kind", message.type), message.text ? element("p", "body", message.text) : null];
  }
}

function values(pairs) {
  const given = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (!given.length) return null;
  const list = element("dl", "values");
  for (const [name, value] of given) {
    list.append(element("dt", "", name), element("dd", "", typeof value === "object" ? JSON.stringify(value) : String(value)));
  }
  return list;
}

function tapped(message) {
  return [element("p", "kind", "Tapped"), element("p", "body", message.text)];
}

function place(it) {
  return [
    element("p", "kind", "Location"),
    it.name ? element("p", "head", it.name) : null,
    it.address ? element("p", "body", it.address) : null,
    values([["Latitude", it.latitude], ["Longitude", it.longitude]]),
  ];
}

const MEDIA_NAMES = { image: "Image", video: "Video", audio: "Audio", document: "Document", sticker: "Sticker" };

function media(type, it) {
  return [
    element("p", "kind", MEDIA_NAMES[type]),
    it.filename ? element("p", "head", it.filename) : null,
    values([["Id", it.id], ["Link", it.link]]),
    it.caption ? element("p", "body", it.caption) : null,
  ];
}

function template(message) {
  const it = message.content;
  const shown = [element("p", "kind", `Template ${it.name} (${it.language?.code ?? "?"})`)];
  if (message.text) shown.push(element("p", "body", message.text));
  const pairs = [];
  for (const component of it.components ?? []) {
    const type = component.type === "button" ? `Button ${component.index}` : component.type;
    (component.parameters ?? []).forEach((parameter, position) => {
      const name = parameter.parameter_name ?? (component.parameters.length > 1 ? position + 1 : "");
      const value = parameter[parameter.type] ?? "";
      // A string has a method called link, so only an object is looked into.
      const content = typeof value === "object" ? (value.link ?? value.id ?? value.fallback_value ?? value) : value;
      pairs.push([`${type} ${name}`.trim(), content]);
    });
  }
  shown.push(values(pairs));
  return shown;
}

function interactive(it) {
  const header = it.header ?? {};
  const action = it.action ?? {};
  const parameters = action.parameters ?? {};
  return [
    element("p", "kind", "Interactive: " + it.type),
    header.text ? element("p", "head", header.text) : null,
    header.type && header.type !== "text" ? element("p", "kind", MEDIA_NAMES[header.type] ?? header.type) : null,
    it.body?.text ? element("p", "body", it.body.text) : null,
    it.footer?.text ? element("p", "quiet", it.footer.text) : null,
    values([["List", action.button], ["Link", parameters.url], ["Product", action.product_retailer_id]]),
  ];
}

function card(contact) {
  return [
    element("p", "kind", "Contact"),
    element("p", "head", contact.name?.formatted_name),
    values([
      ...(contact.phones ?? []).map((phone) => [phone.type ?? "Phone", phone.phone]),
      ...(contact.emails ?? []).map((email) => [email.type ?? "Email", email.email]),
    ]),
  ];
}

/* ---- failures ---- */

function showNotices() {
  const shown = notices.slice(hiddenNotices);
  byId("faults").hidden = shown.length === 0;
  if (!shown.length) return;
  byId("faults-last").textContent = shown[shown.length - 1].text;
  byId("faults-count").textContent = shown.length > 1 ? ` (${shown.length} in all)` : "";
  const lines = shown.toReversed().map((notice) => {
    const line = element("li");
    line.append(element("time", "", time(notice.at)), document.createTextNode(notice.text));
    return line;
  });
  byId("faults-list").replaceChildren(...lines);
}

/* ---- answering ---- */

// What each type asks for besides the text: name, label, and what else its field has.
const DEGREES = { type: "number", step: "any", required: true };
const FIELDS = {
  image: [["caption", "Caption"]],
  video: [["caption", "Caption"]],
  audio: [],
  document: [["filename", "File name"], ["caption", "Caption"]],
  sticker: [],
  location: [
    ["latitude", "Latitude", { ...DEGREES, min: -90, max: 90, value: "28.6139" }],
    ["longitude", "Longitude", { ...DEGREES, min: -180, max: 180, value: "77.2090" }],
    ["name", "Name"],
    ["address", "Address"],
  ],
  contacts: [["name", "Name", { required: true }], ["phone", "Phone", { required: true, type: "tel" }]],
  order: [
    ["catalog_id", "Catalogue", { required: true, value: "194836987003835" }],
    ["product_items", "Products, as JSON", {
      required: true,
      value: '[{"product_retailer_id":"sku-1","quantity":2,"item_price":30,"currency":"USD"}]',
    }],
  ],
  nfm_reply: [["response", "What was filled in, as JSON", { required: true, value: '{"name":"Ann"}' }]],
  system: [["wa_id", "New number", { required: true, type: "tel" }]],
  unsupported: [],
  raw: [["message", "Message, as JSON", { required: true, value: '{"type":"text","text":{"body":"Hi"}}' }]],
  reaction: [["emoji", "Emoji; none takes the reaction back", { value: "👍", maxLength: 16 }]],
  edit: [["text", "What it says now", { required: true, maxLength: 4096 }]],
  revoke: [],
};
const JSON_FIELDS = ["product_items", "response", "message"];
// What is about a message, and whether that is one of the customer's own.
const ABOUT = { reaction: false, edit: true, revoke: true };
let quoted = null;

function showAnswer() {
  byId("no-webhook").hidden = webhook !== null;
}

function showKind(kind) {
  byId("kind").value = kind;
  const isText = kind === "text";
  byId("text").hidden = byId("text").disabled = !isText;
  byId("fields").hidden = isText || !FIELDS[kind].length;
  const fields = (FIELDS[kind] ?? []).map(([name, label, more]) => {
    const line = element("label", "", label);
    const input = Object.assign(element("input"), { name, autocomplete: "off" }, more);
    line.append(input);
    return line;
  });
  byId("fields").replaceChildren(...fields);
}

// What is about a message can be chosen only with one.
function quote(message, kind) {
  quoted = message;
  byId("quoted").hidden = !message;
  if (message) byId("quoted-text").textContent = "To: " + summary(message);
  for (const [about, own] of Object.entries(ABOUT)) {
    byId("kind").querySelector(`[value=${about}]`).disabled = !message || message.from_customer !== own;
  }
  if (kind) showKind(kind);
  else if (!message && byId("kind").value in ABOUT) showKind("text");
}

function focusAnswer() {
  byId("answer").querySelector("#fields:not([hidden]) input, #text:not([hidden]), [type=submit]").focus();
}

async function send(body) {
  byId("answer-problem").hidden = true;
  try {
    const response = await fetch(`/control/phones/${encodeURIComponent(chosen)}/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error((await response.json()).error);
    return true;
  } catch (error) {
    notSent(error.message);
    return false;
  }
}

function notSent(why) {
  const problem = byId("answer-problem");
  problem.textContent = "Not sent: " + why;
  problem.hidden = false;
}

async function answer(event) {
  event.preventDefault();
  const type = byId("kind").value;
  const body = { type };
  for (const input of byId("answer").querySelectorAll("input:enabled")) {
    if (input.value === "") continue;
    try {
      body[input.name] = JSON_FIELDS.includes(input.name) ? JSON.parse(input.value)
        : input.type === "number" ? input.valueAsNumber : input.value;
    } catch (error) {
      notSent("that is no JSON: " + error.message);
      input.focus();
      return;
    }
  }
  if (quoted) body[type in ABOUT ? "message_id" : "reply_to"] = quoted.id;
  if (await send(body)) {
    byId("text").value = "";
    showKind("text");
    quote(null);
  }
  focusAnswer();
}

byId("messages").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const message = phones.get(chosen)?.messages.get(button.closest("[data-id]").dataset.id);
  if (!message) return;
  if (button.dataset.choice) {
    send({ ...message.choices[button.dataset.choice].answer, reply_to: message.id });
  } else {
    const now = byId("kind").value;
    quote(message, button.dataset.act in ABOUT ? button.dataset.act : now in ABOUT ? "text" : now);
    focusAnswer();
  }
});
byId("kind").addEventListener("change", () => showKind(byId("kind").value));
byId("quoted-drop").addEventListener("click", () => {
  quote(null);
  focusAnswer();
});
byId("phones").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  choose(button.dataset.number);
  if (!wide.matches) byId("chat").focus();
});
byId("back").addEventListener("click", () => {
  const left = chosen;
  chosen = null;
  showPhones();
  showChat();
  document.querySelector(`#phones button[data-number="${CSS.escape(left)}"]`)?.focus();
});
byId("faults-hide").addEventListener("click", () => {
  hiddenNotices = notices.length;
  showNotices();
});
byId("help-open").addEventListener("click", () => byId("help").showModal());
byId("answer").addEventListener("submit", answer);
showAll();
listen("/events", acts);
