// Measures sealing and opening; answers MiB or operations per second.

import init, { Envelope, Opening, Sealing } from "/engine.js";

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

try {
  await init({ module_or_path: "/engine_bg.wasm" });
  const sealing = () => new Sealing();
  const opening = () => Opening.make();
  const each = (made, what, times) => rate(() => made[what](), times);
  const envelope = Envelope.make();
  self.postMessage({
    seal: each(sealing(), "text", 1),
    open: each(opening(), "text", 1),
    sealPart: each(sealing(), "part", 1),
    openPart: each(opening(), "part", 1),
    sealEnvelope: each(envelope, "seal", AT_ONCE),
    openEnvelope: each(envelope, "open", AT_ONCE),
  });
} catch (error) {
  self.postMessage({ failed: String(error) });
}
