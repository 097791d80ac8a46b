// Measures sealing and opening; answers bytes or operations per second.

import init, { Content, Envelope } from "/engine.js";

const BYTES = 16 * 1024 * 1024;
const ROUNDS = 5;
const ENVELOPES = 200;

// The fastest of a few rounds, seconds each: the others were disturbed.
function fastest(run) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    if (!run()) throw new Error("it did not work");
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return best;
}

function many(run) {
  return () => {
    for (let n = 0; n < ENVELOPES; n += 1) if (!run()) return false;
    return true;
  };
}

try {
  await init({ module_or_path: "/engine_bg.wasm" });
  const content = new Content(BYTES);
  const envelope = Envelope.make();
  self.postMessage({
    seal: BYTES / fastest(() => content.seal()),
    open: BYTES / fastest(() => content.open()),
    sealEnvelope: ENVELOPES / fastest(many(() => envelope.seal())),
    openEnvelope: ENVELOPES / fastest(many(() => envelope.open())),
  });
} catch (error) {
  self.postMessage({ failed: String(error) });
}
