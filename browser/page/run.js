// Cells that run where they are read. The first press of Run starts one Python for the page, in a worker. What stands
// above runs first, as far as it has not run. Your output takes the place of the recorded one.

const { token, inOrder } = document.currentScript.dataset; // whether samples find a token; whether a cell needs those above it
const here = document.currentScript.src;

class Python {
  constructor(progress) {
    this.interrupt = self.crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(1)) : null;
    this.worker = new Worker(new URL("worker.mjs", here), { type: "module" });
    this.ready = this.ask({ start: { token: Boolean(token), interrupt: this.interrupt } }, ({ progress: part }) => progress(part));
  }

  // Ask the worker, hand on what it says on the way, and return its last word. Rejects if it could not do it.
  ask(request, listen = () => {}) {
    return new Promise((resolve, reject) => {
      this.giveUp = reject;
      this.worker.onerror = (event) => reject(new Error(event.message || "a file of it could not be loaded"));
      this.worker.onmessage = ({ data }) => {
        if (data.failed) reject(new Error(data.failed));
        else if (data.ended) resolve(data.answer);
        else listen(data);
      };
      this.worker.postMessage(request);
    });
  }

  // Stop what runs. Without shared memory only the end of the whole Python can do that: return whether it goes on.
  stop() {
    if (this.interrupt && this.started) {
      this.interrupt[0] = 2; // as Ctrl-C does
      return true;
    }
    this.worker.terminate();
    this.giveUp(new Stopped());
    return false;
  }
}

class Stopped extends Error {}

let python = null;
let panel = null; // Settings > API and .env
let work = Promise.resolve(); // the cells that were asked for, one after the other

class Cell {
  constructor(bar) {
    this.block = bar.previousElementSibling;
    this.code = this.block.querySelector("code");
    this.source = this.code.innerHTML;
    [this.runButton, this.editButton] = bar.querySelectorAll("button");
    this.status = bar.querySelector("[role=status]");
    this.recorded = [];
    for (let next = bar.nextElementSibling; next?.matches(".cell-output"); next = next.nextElementSibling) this.recorded.push(next);
    this.mine = null; // the reader's own output
    this.bar = bar;
    this.runButton.addEventListener("click", () => (this.busy ? stop() : run(this)));
    this.editButton.addEventListener("click", () => (this.editor ? this.undo() : this.edit()));
  }

  say(text) {
    this.status.textContent = text;
  }

  set busy(is) {
    this.isBusy = is;
    label(this.runButton, is ? "Stop" : "Run");
    this.bar.classList.toggle("run-bar--busy", is);
  }

  get busy() {
    return Boolean(this.isBusy);
  }

  async run() {
    this.busy = true;
    this.say("Running.");
    this.show([]);
    const outputs = [];
    try {
      const succeeded = await python.ask({ run: this.code.textContent }, ({ output }) => {
        if (output.output_type === "clear") outputs.length = 0;
        else outputs.push(output);
        this.show(outputs);
      });
      this.hasRun = true;
      this.say(!succeeded ? "Yours, just now: an error." : outputs.length ? "Yours, just now." : "It ran just now, and shows nothing.");
      if (this.recorded.length) this.offerRecorded();
    } finally {
      this.busy = false;
    }
  }

  // Show these outputs in the place of the recorded ones.
  show(outputs) {
    const box = document.createElement("section");
    box.className = "cell-output cell-output--mine";
    box.classList.toggle("cell-output--error", outputs.some(({ output_type, name }) => output_type === "error" || name === "stderr"));
    box.role = "group";
    box.tabIndex = 0;
    box.ariaLabel = "Your output";
    box.hidden = !outputs.length;
    let stream = null;
    for (const output of outputs) {
      if (output.output_type === "stream" && stream?.name === output.name) {
        stream.pre.append(output.text);
        continue;
      }
      const element = drawn(output);
      stream = output.output_type === "stream" ? { name: output.name, pre: element } : null;
      box.append(element);
    }
    if (this.mine) this.mine.replaceWith(box);
    else this.bar.after(box);
    this.mine = box;
    this.showRecorded(false);
  }

  showRecorded(shown) {
    for (const box of this.recorded) box.hidden = !shown;
    if (shown) this.mine.hidden = true;
  }

  offerRecorded() {
    const mine = this.mine;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show the recorded one";
    button.addEventListener("click", () => {
      const back = mine.hidden && !this.recorded[0].hidden;
      this.showRecorded(!back);
      mine.hidden = !back || !mine.childNodes.length;
      button.textContent = back ? "Show the recorded one" : "Show mine";
    });
    this.status.append(" ", button);
  }

  async edit() {
    this.editButton.ariaDisabled = "true"; // a button that is `disabled` loses the focus
    try {
      const { edit } = await import(new URL("editor.mjs", here));
      this.editor ??= edit(this.block, this.code.textContent, {
        changed: (text) => (this.code.textContent = text), // the copy button takes it from there
        run: () => this.busy || run(this),
        leave: () => this.runButton.focus(),
      });
      label(this.editButton, "Undo changes in");
      this.say("Shift+Enter runs the cell, Escape leaves it.");
    } catch (error) {
      this.say(`The editor could not be loaded: ${error.message}`);
    }
    this.editButton.ariaDisabled = null;
  }

  undo() {
    this.editor.remove();
    this.editor = null;
    this.code.innerHTML = this.source;
    label(this.editButton, "Edit");
    this.say("");
  }
}

function label(button, text) {
  button.textContent = text.replace(/ in$/, "");
  button.ariaLabel = `${text} this cell`;
}

// What a reader sees of an output in the notebook format.
function drawn({ output_type, text, traceback, data = {} }) {
  const plain = output_type === "error" ? traceback.join("\n") : (text ?? data["text/plain"] ?? "");
  if (data["image/png"]) {
    const image = new Image();
    image.src = `data:image/png;base64,${data["image/png"]}`;
    image.alt = plain;
    return image;
  }
  const html = data["text/html"] ?? data["image/svg+xml"];
  if (html) {
    const { body } = new DOMParser().parseFromString(html, "text/html");
    for (const element of body.querySelectorAll("script, style")) element.remove();
    const box = document.createElement("div");
    box.append(...body.childNodes);
    return box;
  }
  const pre = document.createElement("pre");
  pre.textContent = plain.replace(/\x1b\[[\d;]*m/g, ""); // the colours of a terminal are made for one background
  return pre;
}

function run(cell) {
  work = work.then(() => attempt(cell));
}

async function started(progress = () => {}) {
  python ??= new Python(progress);
  await python.ready;
  python.started = true;
}

// After that, the next Run or question starts a new Python.
function end() {
  python?.worker.terminate();
  python = null;
  for (const cell of cells) cell.hasRun = false;
  panel?.forget();
}

// Ask Python, after the cells that wait for it.
function ask(request) {
  const answer = work.then(async () => {
    try {
      await started();
      return await python.ask(request);
    } catch (error) {
      end();
      throw error;
    }
  });
  work = answer.catch(() => {});
  return answer;
}

async function openPanel(path) {
  if (!panel) {
    const { Panel } = await import(new URL("panel.mjs", here));
    panel ??= new Panel(ask);
  }
  panel.open(path);
}

async function attempt(cell) {
  cell.busy = true;
  try {
    if (!python) cell.say("Python is loading.");
    await started((part) => cell.bar.style.setProperty("--loaded", part));
    const before = inOrder ? cells.slice(0, cells.indexOf(cell)).filter(({ hasRun }) => !hasRun) : [];
    for (const one of [...before, cell]) {
      if (one !== cell) cell.say("Running the cells above.");
      await one.run();
    }
  } catch (error) {
    end();
    cell.say(
      error instanceof Stopped
        ? "Stopped. What your cells made is gone: Run starts a new Python."
        : `Python did not start, or ended: ${error.message}. Run tries again.`,
    );
  } finally {
    cell.busy = false;
    cell.bar.style.removeProperty("--loaded");
  }
}

function stop() {
  python?.stop();
}

const cells = [...document.querySelectorAll(".run-bar")].map((bar) => new Cell(bar));

document.querySelector(".run-here button")?.addEventListener("click", () => openPanel());
document.querySelector("article").addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='http://127.0.0.1:8787/']"); // the mock server of this page, not one on the computer
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openPanel(new URL(link.href).pathname);
});
