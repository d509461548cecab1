// What both pages need to show anything. Every text goes in through textContent, so nothing a sender writes is markup.
"use strict";

const byId = (id) => document.getElementById(id);

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Changes a text only when it differs, so that nothing is drawn, selected or read out anew.
function write(shown, text) {
  if (shown.textContent !== text) shown.textContent = text;
}

const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
// Who hides the number has an id with letters instead.
const written = (number) => (/^\d+$/.test(number) ? "+" + number : number);

// Opens a stream of events, with what to do with each kind, and shows whether it is open.
function listen(path, acts) {
  // The browser connects again by itself and says which event it saw last.
  const events = new EventSource(path);
  for (const [name, act] of Object.entries(acts)) events.addEventListener(name, (event) => act(JSON.parse(event.data)));
  events.onopen = () => connection("live", "Live");
  events.onerror = () => {
    connection("lost", "Connection lost, trying again…");
    // A proxy's error page ends it for good; then it is on us.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => listen(path, acts), 2000);
  };
}

function connection(state, text) {
  const shown = byId("connection");
  shown.className = "state " + state;
  write(shown, text);
}

// A command that sends such a message.
function command(account, message) {
  return `curl ${location.origin}/v25.0/${account?.number ?? "PHONE_NUMBER_ID"}/messages \\
  -H 'Authorization: Bearer ${account?.token ?? "ACCESS_TOKEN"}' \\
  -H 'Content-Type: application/json' \\
  -d '{"messaging_product":"whatsapp","to":"919876543210",
       ${message}}'`;
}
