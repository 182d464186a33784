"use strict";
// What the pages of labelling do: every step is one small request, and the status line says what became of it.
const status = document.getElementById("status");

function say(text, failed) {
  status.textContent = text;
  status.classList.toggle("failed", Boolean(failed));
}

async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
    });
    const answer = await response.json();
    if (!response.ok) {
      say(answer.error, true);
      if (!document.getElementById("name-field").value) document.getElementById("name-field").focus();
      return null;
    }
    say(answer.said, false);
    return answer;
  } catch (error) {
    say("The server can't be reached: " + error.message, true);
    return null;
  }
}

// The page again, at the same place, with what was said.
function reload(said) {
  sessionStorage.setItem("said", said);
  location.reload();
}
const told = sessionStorage.getItem("said");
if (told) {
  sessionStorage.removeItem("said");
  say(told, false);
}

function pressed(group) {
  return [...group.querySelectorAll("[data-label][aria-pressed=true]")].map((button) => button.dataset.label);
}

async function choose(group, button) {
  let labels = [button.dataset.label];
  if ("none" in button.dataset) labels = [];
  else if ("several" in group.dataset) {
    const before = pressed(group);
    const taken = before.includes(button.dataset.label);
    labels = taken ? before.filter((label) => label !== button.dataset.label) : [...before, button.dataset.label];
  }
  const answer = await post(group.dataset.path, { revision: Number(group.dataset.revision), labels });
  if (!answer) return;
  for (const own of group.querySelectorAll("[data-label]")) {
    own.setAttribute("aria-pressed", String(labels.includes(own.dataset.label)));
  }
  const card = group.closest(".revision");
  const said = card.querySelector(".said");
  if (said) said.textContent = answer.said;
  card.dataset.saved = "";
  if ("next" in card.dataset && !("several" in group.dataset)) reload(answer.said);
}

async function realign(revisions) {
  const id = Number(document.getElementById("document").dataset.document);
  const answer = await post("/labelling/alignment", { document: id, revisions });
  if (answer) reload(answer.said);
}

function joining() {
  return document.querySelector("[data-join][aria-pressed=true]");
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const group = button.closest(".labels");
  if (group) return choose(group, button);
  if (button.dataset.split) return realign([Number(button.dataset.split)]);
  if (button.dataset.join) {
    const first = joining();
    if (!first) {
      button.setAttribute("aria-pressed", "true");
      return say("Press Join on what belongs to it, or Escape.", false);
    }
    first.setAttribute("aria-pressed", "false");
    if (first !== button) return realign([Number(first.dataset.join), Number(button.dataset.join)]);
    return say("", false);
  }
  if (button.dataset.pass) {
    const answer = await post("/labelling/labels", { revision: Number(button.dataset.pass), labels: null });
    if (answer) reload(answer.said);
    return;
  }
  if (button.dataset.post) {
    const answer = await post(button.dataset.post, JSON.parse(button.dataset.body ?? "{}"));
    if (answer && "reload" in button.dataset) reload(answer.said);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input, textarea, select")) return;
  if (event.key === "Escape") {
    joining()?.setAttribute("aria-pressed", "false");
    return say("", false);
  }
  const cards = [...document.querySelectorAll(".revision")];
  const card = event.target.closest(".revision") ?? document.querySelector(".revision[data-next]");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = cards[cards.indexOf(card) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next && !("next" in next.dataset)) {
      event.preventDefault();
      next.focus();
    }
    return;
  }
  if (!card || !/^[0-9]$/.test(event.key)) return;
  const button = event.key === "0"
    ? card.querySelector("[data-pass]")
    : card.querySelectorAll("[data-label]")[Number(event.key) - 1];
  button?.click();
});

document.getElementById("name").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await post("/labelling/name", { name: document.getElementById("name-field").value });
  if (answer) reload(answer.said);
});

document.getElementById("train")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const own = event.target.elements.own;
  const answer = await post("/labelling/training", { own: Boolean(own && own.checked) });
  if (answer) reload(answer.said);
});

const progress = document.getElementById("progress");
if (progress) {
  setInterval(async () => {
    try {
      const answer = await (await fetch(progress.dataset.poll)).json();
      if (!answer.running) return reload("The training ended.");
      if (progress.textContent !== answer.said) progress.textContent = answer.said;
    } catch {
      progress.textContent = "The server can't be reached.";
    }
  }, 1000);
}
