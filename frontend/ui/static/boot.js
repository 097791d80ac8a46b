// Starts the worker and the page, side by side, and joins them.
// The page's own code is Wasm; this file only connects. Nothing here knows a key.

import init, { failed, receive, start } from "/ui.js";

const WORKER = "/worker.js";

// `new Worker` takes a script address, which Trusted Types guard: one policy, one address.
function workerAddress() {
  if (!globalThis.trustedTypes) return WORKER;
  const policy = globalThis.trustedTypes.createPolicy("salus-worker", {
    createScriptURL(address) {
      if (address === WORKER) return address;
      throw new TypeError("not the worker's address");
    },
  });
  return policy.createScriptURL(WORKER);
}

const worker = new Worker(workerAddress(), { type: "module", name: "salus-engine" });

// What the worker says before the page is up waits here.
let early = [];
const hear = ({ bytes, files, failed: why }) =>
  why === undefined ? receive(bytes, files ?? []) : failed(why);
worker.onmessage = ({ data }) => (early ? early.push(data) : hear(data));
worker.onerror = (event) => {
  event.preventDefault();
  const why = { failed: event.message || "worker" };
  if (early) early.push(why);
  else hear(why);
};

await init({ module_or_path: "/ui_bg.wasm" });
start((bytes, files) => worker.postMessage({ bytes, files }, [bytes.buffer]));
const waiting = early;
early = null;
waiting.forEach(hear);
