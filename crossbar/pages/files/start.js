// SPDX-License-Identifier: MPL-2.0
const socket = location.origin.replace(/^http/, "ws");
document.querySelectorAll("[data-origin]").forEach((place) => { place.textContent = location.origin; });
document.querySelectorAll("[data-socket]").forEach((place) => { place.textContent = socket; });
document.querySelector('.bar nav a[href="/start"]').setAttribute("aria-current", "page");

for (const block of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "quiet", textContent: "Copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(block.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  if (navigator.clipboard) block.append(button);
}

const pill = document.getElementById("health");
function tell(kind, text) {
  pill.className = `pill ${kind}`;
  pill.lastElementChild.textContent = text;
}

async function look() {
  try {
    const response = await fetch("/readyz");
    const state = await response.json();
    if (!response.ok) tell("bad", "Not ready: the database is away");
    else if (!state.change_feed) tell("warn", "Ready, but slower: no change feed");
    else tell("good", "Ready");
  } catch {
    tell("bad", "No answer");
  }
}

look();
setInterval(look, 10_000);
