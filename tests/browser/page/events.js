// SPDX-License-Identifier: MPL-2.0
// What happens in an account, as it happens: a socket that is opened again after it was lost, and goes on where it was.

const parameters = new URLSearchParams(location.search);
const account_id = parameters.get("account");
const binding = parameters.get("binding");
const at = (id) => document.getElementById(id);
const FIRST_DELAY = 250;
const LONGEST_DELAY = 60_000;
let since = "now";
let delay = FIRST_DELAY;
let socket;

at("lose").addEventListener("click", () => socket.close());
connect();

function connect() {
  socket = new WebSocket(parameters.get("socket"));
  socket.addEventListener("open", () => {
    const data = { account_id, binding, since };
    socket.send(JSON.stringify({ action: "subscribe", auth_token: parameters.get("token"), request_id: "1", data }));
  });
  socket.addEventListener("message", ({ data }) => hear(JSON.parse(data)));
  socket.addEventListener("close", ({ code }) => {
    at("state").textContent = `closed ${code}`;
    setTimeout(connect, delay);
    delay = Math.min(2 * delay, LONGEST_DELAY);
  });
}

function hear(frame) {
  if (frame.action === "reply") {
    at("state").textContent = frame.status;
    delay = FIRST_DELAY;
    since = frame.data.token;
    return;
  }
  since = frame.token;
  const item = document.createElement("li");
  item.textContent = `${frame.name} ${frame.data.doc.name}`;
  at("events").append(item);
}
