// Python for one page, in a thread of its own: it is the lab's, with the same mock server, packages and settings.

const lab = new URL("../lab/", import.meta.url);
let python = null;

async function start({ token, interrupt }) {
  const settings = await (await fetch(new URL("jupyter-lite.json", lab))).json();
  const kernel = settings["jupyter-config-data"].litePluginSettings["@jupyterlite/pyodide-kernel-extension:kernel"];
  const { loadPyodide } = await import(new URL(kernel.pyodideUrl, lab));
  const { lockFileURL, ...options } = kernel.loadPyodideOptions;
  const pyodide = await loadPyodide({
    ...options,
    indexURL: new URL("static/pyodide/", lab).href,
    lockFileURL: new URL(lockFileURL, lab).href,
    progress: (part) => postMessage({ progress: part }),
  });
  if (interrupt) pyodide.setInterruptBuffer(interrupt);
  python = pyodide.pyimport("linked_is_tab.page");
  if (token) python.have_token();
}

async function run({ code }) {
  return python.run(code, (output) => postMessage({ output: JSON.parse(output) }));
}

let queue = Promise.resolve(); // one after the other
onmessage = ({ data }) => {
  const task = data.start ? start : run;
  queue = queue
    .then(() => task(data.start ?? data))
    .then((succeeded) => postMessage({ ended: true, succeeded }))
    .catch((error) => postMessage({ failed: String(error.message ?? error) }));
};
