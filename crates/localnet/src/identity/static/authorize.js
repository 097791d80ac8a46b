// The signer's side of ICRC-29 (messages between windows) and ICRC-34 (delegations).
//
// The first origin that speaks from the window that opened this one is the only one ever
// answered, and every answer is addressed to it by name.
"use strict";

const ABORTED = 3001;
const NOT_SUPPORTED = 2000;
const GENERIC = 1000;
const INVALID_REQUEST = -32600;
const BRIEF_NS = 600 * 1e9;

const byId = (id) => document.getElementById(id);
let client = null;
let pending = null;

function say(text) {
  byId("status").textContent = text;
}

function send(message) {
  client.source.postMessage({ jsonrpc: "2.0", ...message }, client.origin);
}

function refuse(id, code, message) {
  send({ id, error: { code, message } });
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error((await response.text()).trim());
  }
  return response.json();
}

function showPeople(names) {
  const list = byId("people");
  list.replaceChildren();
  for (const name of names) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.dataset.person = name;
    button.addEventListener("click", () => signIn(name));
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
}

async function begin(id, params) {
  const origin = client.origin;
  const derivation = params.icrc95DerivationOrigin ?? origin;
  if (derivation !== origin) {
    const asked = { origin, derivation_origin: derivation };
    const { allowed } = await post("derivation", asked);
    if (!allowed) {
      refuse(id, GENERIC, `${derivation} does not list ${origin} as an alternative origin`);
      return;
    }
  }
  const response = await fetch("people");
  const { people } = await response.json();
  pending = { id, params, derivation };
  byId("origin").textContent = origin;
  byId("derivation").textContent = derivation;
  byId("derived").hidden = derivation === origin;
  showPeople(people);
  say("");
  byId("choose").hidden = false;
}

function end(text) {
  pending = null;
  byId("choose").hidden = true;
  say(text);
}

async function signIn(person) {
  if (pending === null) {
    return;
  }
  const { id, params, derivation } = pending;
  for (const button of document.querySelectorAll("button")) {
    button.disabled = true;
  }
  try {
    const result = await post("delegation", {
      person,
      public_key: params.publicKey,
      origin: derivation,
      max_time_to_live_ns: byId("brief").checked ? BRIEF_NS : params.maxTimeToLive,
      targets: params.targets,
      root: byId("canister").checked ? "canister" : "ed25519",
    });
    send({ id, result });
    end("Signed in. You can close this window.");
  } catch (error) {
    say(error.message);
  }
  for (const button of document.querySelectorAll("button")) {
    button.disabled = false;
  }
}

function handle({ id, method, params }) {
  switch (method) {
    case "icrc29_status":
      send({ id, result: "ready" });
      break;
    case "icrc25_supported_standards":
      send({
        id,
        result: {
          supportedStandards: ["ICRC-25", "ICRC-29", "ICRC-34", "ICRC-95"].map((name) => ({
            name,
            url: `https://github.com/dfinity/ICRC/blob/main/ICRCs/${name}/${name}.md`,
          })),
        },
      });
      break;
    case "icrc34_delegation":
      if (typeof params?.publicKey !== "string") {
        refuse(id, INVALID_REQUEST, "publicKey is missing");
        return;
      }
      begin(id, params).catch((error) => refuse(id, GENERIC, error.message));
      break;
    default:
      refuse(id, NOT_SUPPORTED, `${method} is not supported`);
  }
}

window.addEventListener("message", (event) => {
  const { data, origin, source } = event;
  if (window.opener === null || source !== window.opener || origin === "null") {
    return;
  }
  if (data?.jsonrpc !== "2.0" || typeof data.method !== "string" || data.id === undefined) {
    return;
  }
  if (client === null) {
    client = { origin, source };
    say(`Connected to ${origin}.`);
  }
  if (origin === client.origin) {
    handle(data);
  }
});

byId("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const { name } = await post("people", { name: byId("name").value });
    await signIn(name);
  } catch (error) {
    say(error.message);
  }
});

byId("cancel").addEventListener("click", () => {
  if (pending !== null) {
    refuse(pending.id, ABORTED, "cancelled");
    end("Cancelled. You can close this window.");
  }
});

if (window.opener === null) {
  say("Open this page from an application: it signs you in there.");
}
