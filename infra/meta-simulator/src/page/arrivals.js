// Shows what arrives, from summaries that come a few times a second, however many messages there are.
"use strict";

// As far as a message comes, in this order, or not at all.
const STATUSES = ["accepted", "sent", "delivered", "read", "failed"];
const squares = new Map(); // number → its button, in the order in which they took their places
let chosen = null;

const count = (number) => number.toLocaleString();
const several = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;
// Who listened to a voice message has read it.
const shade = (status) => (status === "played" ? "read" : status);

function show(summary) {
  byId("empty").hidden = summary.accepted > 0;
  byId("summary").hidden = summary.accepted === 0;
  if (!summary.accepted) choose(null);
  showCounters(summary);
  showSpeed(summary);
  showMost(summary.most_from_one_template);
  showTemplates(summary.templates);
  showNewest(summary);
}

function showCounters(summary) {
  for (const status of STATUSES) {
    write(byId(status), count(summary[status]));
    if (status !== "accepted") write(byId(status + "-share"), share(summary[status], summary.accepted));
  }
  byId("failed").parentElement.classList.toggle("some", summary.failed > 0);
}

// Never 100 % while anything is missing, and never 0 % of something.
function share(part, whole) {
  if (!part) return "0 %";
  if (part === whole) return "100 %";
  const percent = (100 * part) / whole;
  return percent < 0.1 ? "under 0.1 %" : `${Math.min(99.9, percent).toFixed(1)} %`;
}

/* ---- the last minute ---- */

const SVG = "http://www.w3.org/2000/svg";

function showSpeed(summary) {
  const highest = Math.max(...summary.seconds);
  const top = roundUp(highest);
  write(byId("per-second"), count(summary.per_second));
  write(byId("top"), `up to ${count(top)}`);
  const drawing = byId("bars");
  const width = 600 / summary.seconds.length;
  while (drawing.childElementCount < summary.seconds.length) {
    const bar = document.createElementNS(SVG, "rect");
    bar.setAttribute("x", drawing.childElementCount * width + 1);
    bar.setAttribute("width", width - 2);
    drawing.append(bar);
  }
  summary.seconds.forEach((number, position) => {
    // A single message can be seen, too.
    const height = number ? Math.max(2, (100 * number) / top) : 0;
    drawing.children[position].setAttribute("y", 100 - height);
    drawing.children[position].setAttribute("height", height);
  });
  const all = summary.seconds.reduce((sum, number) => sum + number, 0);
  const told = all
    ? `${several(all, "message", "messages")} in the last 60 seconds, ${count(highest)} in the busiest one`
    : "No messages in the last 60 seconds";
  if (drawing.getAttribute("aria-label") !== told) drawing.setAttribute("aria-label", told);
}

// To 10, 20, 50, 100, …: so that the drawing keeps its scale for a while.
function roundUp(number) {
  let top = 10;
  for (let step = 0; top < number; step += 1) top *= step % 3 === 1 ? 2.5 : 2;
  return top;
}

/* ---- templates ---- */

function showMost(most) {
  byId("most").hidden = !most;
  if (!most) return;
  const panel = byId("most");
  panel.classList.toggle("good", most.count === 1);
  panel.classList.toggle("bad", most.count > 1);
  write(byId("most-count"), count(most.count));
  const among = most.exact ? "" : " among the first two million phones";
  const told = most.count === 1
    ? `Nobody got two${among}.`
    : `${written(most.phone)} got ${most.name} (${most.language}) ${count(most.count)} times. ` +
      `${several(most.phones_with_more, "phone", "phones")} got a template more than once${among}.`;
  write(byId("most-told"), told);
}

function showTemplates(templates) {
  byId("templates").hidden = !templates.length;
  byId("no-templates").hidden = templates.length > 0;
  const rows = byId("rows");
  while (rows.rows.length > templates.length) rows.deleteRow(-1);
  templates.forEach((template, position) => {
    const row = rows.rows[position] ?? newRow(rows);
    const [name, messages, first, last] = row.cells;
    write(name.firstChild, template.name);
    write(name.lastChild, template.language);
    write(messages, count(template.count));
    write(first, time(template.first));
    write(last, time(template.last));
  });
}

function newRow(rows) {
  const row = rows.insertRow();
  row.insertCell().append(document.createTextNode(""), element("span"));
  for (let cell = 0; cell < 3; cell += 1) row.insertCell();
  return row;
}

/* ---- the newest phones ---- */

function showNewest(summary) {
  const statuses = new Map(summary.newest.map(({ number, status }) => [number, shade(status)]));
  const shown = statuses.size;
  write(byId("newest-told"), shown < summary.phones
    ? `The last ${count(shown)} of ${count(summary.phones)} phones, by the status of their last message.`
    : `${several(shown, "phone", "phones")}, by the status of their last message.`);
  showLegend([...statuses.values()]);

  // A phone keeps its place, so that it can be watched; a new one takes that of the phone that left first.
  const free = [];
  for (const [number, square] of squares) {
    if (statuses.has(number)) continue;
    squares.delete(number);
    free.push(square);
  }
  for (const [number, status] of [...statuses].reverse()) {
    let square = squares.get(number);
    if (!square) {
      square = free.shift() ?? newSquare();
      squares.set(number, square);
      square.setAttribute("aria-pressed", String(number === chosen));
    }
    if (square.dataset.number === number && square.dataset.status === status) continue;
    Object.assign(square.dataset, { number, status });
    square.className = "square " + status;
    square.title = `${written(number)}: ${status}`;
    square.setAttribute("aria-label", square.title);
    if (number === chosen) showDetail();
  }
  free.forEach((square) => square.remove());
  if (!byId("squares").querySelector("[tabindex='0']")) byId("squares").firstElementChild?.setAttribute("tabindex", 0);
}

function newSquare() {
  const square = element("button");
  square.type = "button";
  square.tabIndex = -1;
  byId("squares").append(square);
  return square;
}

function showLegend(statuses) {
  const legend = byId("legend");
  STATUSES.forEach((status, position) => {
    let line = legend.children[position];
    if (!line) {
      line = element("li");
      line.append(element("span", "square " + status), element("span"));
      legend.append(line);
    }
    write(line.lastChild, `${count(statuses.filter((one) => one === status).length)} ${status}`);
  });
}

/* ---- one phone ---- */

function choose(number) {
  squares.get(chosen)?.setAttribute("aria-pressed", "false");
  chosen = number;
  squares.get(chosen)?.setAttribute("aria-pressed", "true");
  showDetail();
}

async function showDetail() {
  const number = chosen;
  write(byId("detail-title"), number ? written(number) : "No phone chosen");
  if (!number) {
    byId("detail-told").replaceChildren(element("p", "quiet", "Choose a square to see what that phone got."));
    return;
  }
  let told;
  try {
    const response = await fetch("/control/phones/" + encodeURIComponent(number));
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    told = detail(answer.messages.filter((message) => !message.from_customer));
  } catch (error) {
    told = [element("p", "quiet", error.message)];
  }
  // Meanwhile another may have been chosen.
  if (number === chosen) byId("detail-told").replaceChildren(...told);
}

function detail(messages) {
  const last = messages[messages.length - 1];
  const kind = last.type === "template" ? `Template ${last.content?.name} (${last.content?.language?.code ?? "?"})` : last.type;
  const status = element("p", "status");
  const word = last.status === "failed" ? `failed with ${last.error}` : last.status;
  status.append(element("span", "square " + shade(last.status)), element("span", "", `${word}, accepted at ${time(last.at)}`));
  const shown = [status, element("p", "quiet", kind)];
  const said = last.text || parameters(last.content);
  if (said) shown.push(element("p", "said", said));
  if (messages.length > 1) shown.push(element("p", "quiet", `The last of ${several(messages.length, "message", "messages")}.`));
  return shown;
}

// What stands for the text of a template that is not known here.
function parameters(content) {
  const given = (content?.components ?? []).flatMap((component) => component.parameters ?? []);
  return given.map((parameter) => parameter.text).filter(Boolean).join(" · ");
}

byId("squares").addEventListener("click", (event) => {
  const square = event.target.closest("button");
  if (!square) return;
  lead(square);
  choose(square.dataset.number === chosen ? null : square.dataset.number);
});

// One stop for the Tab key, and the arrows from there: hundreds of stops would shut out whoever has no mouse.
byId("squares").addEventListener("keydown", (event) => {
  const all = [...event.currentTarget.children];
  const from = all.indexOf(event.target);
  const inRow = all.findIndex((square) => square.offsetTop > all[0].offsetTop);
  const row = inRow < 0 ? all.length : inRow;
  const to = { ArrowLeft: from - 1, ArrowRight: from + 1, ArrowUp: from - row, ArrowDown: from + row, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  if (!all[to]) return;
  lead(all[to]);
  all[to].focus();
});

function lead(square) {
  byId("squares").querySelector("[tabindex='0']")?.setAttribute("tabindex", -1);
  square.tabIndex = 0;
}

listen("/arrivals/events", {
  account(account) {
    const template = '"template":{"name":"hello_world","language":{"code":"en_US"}}';
    byId("curl").textContent = command(account, `"type":"template",\n       ${template}`);
  },
  arrivals: show,
});
