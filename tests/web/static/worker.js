// Measures sealing and opening; answers MiB or operations per second. Named `stretch`, it answers the
// milliseconds that the first stretching of a passphrase takes.

import init, { Envelope, Opening, Sealing, stretch } from "/engine.js";

const ROUNDS = 96;
const AT_ONCE = 10;

// By the fastest round: a busy machine disturbs the others.
function rate(run, times) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    for (let n = 0; n < times; n += 1) if (!run()) throw new Error("it did not work");
    best = Math.min(best, (performance.now() - began) / 1000);
  }
  return times / best;
}

function stretching() {
  const began = performance.now();
  if (!stretch()) throw new Error("it did not work");
  return performance.now() - began;
}

function rates() {
  const sealing = () => new Sealing();
  const opening = () => Opening.make();
  const each = (made, what, times) => rate(() => made[what](), times);
  const envelope = Envelope.make();
  return {
    seal: each(sealing(), "text", 1),
    open: each(opening(), "text", 1),
    sealPart: each(sealing(), "part", 1),
    openPart: each(opening(), "part", 1),
    sealEnvelope: each(envelope, "seal", AT_ONCE),
    openEnvelope: each(envelope, "open", AT_ONCE),
  };
}

try {
  await init({ module_or_path: "/engine_bg.wasm" });
  self.postMessage(self.name === "stretch" ? stretching() : rates());
} catch (error) {
  self.postMessage({ failed: String(error) });
}
