// The worker's first lines: listen at once, load the engine, then hand over.
// A message that arrives before the engine is up would otherwise be lost without a word.

let early = [];
let receive = null;
self.onmessage = ({ data }) =>
  early ? early.push(data) : receive(data.bytes, data.files ?? []);

const post = (bytes, files) =>
  self.postMessage({ bytes, files: files ?? [] }, [bytes.buffer]);

async function load() {
  const [engine, config] = await Promise.all([
    import("/engine.js"),
    fetch("/config.json").then((answer) => {
      if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
      return answer.text();
    }),
  ]);
  await engine.default({ module_or_path: "/engine_bg.wasm" });
  engine.start(config, post);
  return engine.receive;
}

try {
  receive = await load();
  const waiting = early;
  early = null;
  for (const { bytes, files } of waiting) receive(bytes, files ?? []);
} catch (error) {
  self.postMessage({ failed: String(error?.message ?? error) });
}
