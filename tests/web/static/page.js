// Starts the worker and shows what it measured. What that is, is what follows # in the address.

const name = location.hash.slice(1);
const worker = new Worker("/worker.js", { type: "module", name });
const show = (id, text) => {
  const line = document.createElement("pre");
  line.dataset.testid = id;
  line.textContent = text;
  document.body.append(line);
};
worker.onmessage = ({ data }) => show("measured", JSON.stringify(data));
worker.onerror = (event) => show("measured", JSON.stringify({ failed: event.message || "worker" }));
