// Cells that run where they are read. The first press of Run starts one Python for the page, in a worker. What stands
// above runs first, as far as it has not run. Your output takes the place of the recorded one.

const { token, notebook } = document.currentScript.dataset; // whether samples find a token; which kind of notebook this is, if it is one
const here = document.currentScript.src;
const GOES_ON = "linked.is kit: accounts and .env"; // what the next page in this tab of the browser goes on from

let kept = stored();

// A browser may refuse to store anything.
function stored() {
  try {
    return sessionStorage.getItem(GOES_ON);
  } catch {
    return null;
  }
}

function keep(text) {
  kept = text;
  try {
    if (text) sessionStorage.setItem(GOES_ON, text);
    else sessionStorage.removeItem(GOES_ON);
  } catch {}
}

class Python {
  constructor(progress) {
    this.interrupt = self.crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(1)) : null;
    this.worker = new Worker(new URL("worker.mjs", here), { type: "module" });
    this.ready = this.ask({ start: { token: Boolean(token), kept, interrupt: this.interrupt } }, ({ progress: part }) => progress(part));
  }

  // Ask the worker, hand on what it says on the way, and return its last word. Rejects if it could not do it.
  ask(request, listen = () => {}) {
    return new Promise((resolve, reject) => {
      this.giveUp = reject;
      this.worker.onerror = (event) => reject(new Error(event.message || "a file of it could not be loaded"));
      this.worker.onmessage = ({ data }) => {
        if (data.failed) reject(new Error(data.failed));
        else if (data.ended) resolve(data.answer);
        else if (data.kept) keep(data.kept);
        else listen(data);
      };
      if (this.interrupt) this.interrupt[0] = 0;
      this.worker.postMessage(request);
    });
  }

  // Stop what runs. Without shared memory only the end of the whole Python can do that.
  stop() {
    if (this.interrupt && this.started) this.interrupt[0] = 2; // as Ctrl-C does
    else this.giveUp(new Stopped());
  }
}

class Stopped extends Error {}

let python = null;
let panel = null; // Settings > API and .env
let work = Promise.resolve(); // the cells that were asked for, one after the other
let stops = 0; // how often a reader pressed Stop: what was asked for before that does not run any more

const DRAWN = 50; // milliseconds from one drawing of an output to the next
const KEPT = 100_000; // characters of a long output

class Cell {
  constructor(bar, index) {
    this.bar = bar;
    this.number = index + 1;
    this.block = bar.previousElementSibling;
    this.code = this.block.querySelector("code");
    this.source = this.code.innerHTML;
    [this.runButton, this.editButton] = bar.querySelectorAll("button");
    this.status = bar.querySelector("[role=status]");
    this.recorded = [];
    for (let next = bar.nextElementSibling; next?.matches(".cell-output"); next = next.nextElementSibling) this.recorded.push(next);
    this.isCheck = notebook === "exercise" && this.recorded.some((box) => box.matches(".cell-output--error")); // it says "not yet"
    this.mine = null; // the reader's own output
    this.back = document.createElement("button");
    this.back.type = "button";
    this.back.hidden = true;
    bar.append(this.back);
    this.runButton.addEventListener("click", ({ timeStamp }) => this.pressed(timeStamp));
    this.editButton.addEventListener("click", () => (this.editor ? this.undo() : this.edit()));
    this.back.addEventListener("click", () => this.turn(!this.showsMine));
  }

  // The second half of a double click, or a key that is held, does not want the opposite of the first.
  pressed(time) {
    const wish = this.busy ? stop : run;
    const again = time - this.lastPress < 400;
    this.lastPress = time;
    if (again && wish !== this.lastWish) return;
    this.lastWish = wish;
    wish(this);
  }

  // What this cell stands below.
  get heading() {
    return [...document.querySelectorAll("h2[id]")].findLast((one) => one.compareDocumentPosition(this.bar) & Node.DOCUMENT_POSITION_FOLLOWING);
  }

  say(text) {
    this.status.textContent = text;
  }

  // Show how much of Python has come: from 0 to 1, or null. Only the eye is told each step.
  loaded(part) {
    this.bar.style.setProperty("--loaded", part ?? 0);
    if (part === null) delete this.bar.dataset.loaded;
    else this.bar.dataset.loaded = `${Math.round(100 * part)} %`;
  }

  label(button, text) {
    button.textContent = text;
    button.ariaLabel = `${text} ${button === this.editButton && this.editor ? "in " : ""}cell ${this.number}`;
  }

  set busy(is) {
    this.isBusy = is;
    this.label(this.runButton, is ? "Stop" : "Run");
  }

  get busy() {
    return Boolean(this.isBusy);
  }

  // Run it and return whether it ended without an error. Rejects if Python ended.
  async run() {
    const outputs = [];
    let soon = 0;
    const draw = () => {
      soon = 0;
      this.show(outputs);
    };
    this.busy = true;
    this.say("Running.");
    this.show(outputs);
    try {
      const succeeded = await python.ask({ run: this.code.textContent }, ({ output }) => {
        add(outputs, output);
        soon ||= setTimeout(draw, DRAWN);
      });
      this.hasRun = true;
      if (succeeded && this.isCheck) tellDone(`#${this.heading.id}`);
      if (notebook === "lesson" && cells.every(({ hasRun }) => hasRun)) tellDone("");
      this.say(!succeeded ? "Your output, just now: an error." : outputs.length ? "Your output, just now." : "It ran just now, without an output.");
      return succeeded;
    } catch (error) {
      this.say("Stopped.");
      throw error;
    } finally {
      clearTimeout(soon);
      draw();
      this.busy = false;
    }
  }

  // Show these outputs in the place of the recorded ones.
  show(outputs) {
    if (!this.mine) {
      this.mine = document.createElement("div"); // to reveal.js, a section is a slide
      this.mine.role = "group";
      this.mine.tabIndex = 0;
      this.mine.ariaLabel = "Your output";
      this.bar.after(this.mine);
    }
    this.isEmpty = !outputs.length;
    this.mine.className = "cell-output cell-output--mine";
    this.mine.classList.toggle("cell-output--error", outputs.some(({ output_type, name }) => output_type === "error" || name === "stderr"));
    this.mine.replaceChildren(...outputs.map(drawn));
    this.turn(true);
  }

  // Show the reader's own output, or the recorded one.
  turn(toMine) {
    this.showsMine = toMine;
    for (const box of this.recorded) box.hidden = toMine;
    if (this.mine) this.mine.hidden = !toMine || this.isEmpty;
    this.back.hidden = !this.recorded.length || !this.mine;
    this.back.textContent = toMine ? "Show the recorded output" : "Show your output";
  }

  async edit() {
    this.editButton.ariaDisabled = "true"; // a button that is `disabled` loses the focus
    try {
      const { edit } = await import(new URL("editor.mjs", here));
      this.editor ??= edit(this.block, this.code.textContent, {
        changed: (text) => this.change(() => (this.code.textContent = text)), // the copy button takes it from there
        run: () => run(this),
        leave: () => this.runButton.focus(),
      });
      this.label(this.editButton, "Undo changes");
      if (!this.busy) this.say("Shift+Enter runs the cell, Escape leaves it.");
    } catch {
      this.say("The editor could not be loaded. Edit tries again.");
    }
    this.editButton.ariaDisabled = null;
  }

  undo() {
    this.editor.remove();
    this.editor = null;
    this.change(() => (this.code.innerHTML = this.source));
    this.label(this.editButton, "Edit");
    if (this.busy) return;
    this.mine?.remove();
    this.mine = null;
    this.turn(false);
    this.say("");
  }

  // What stands below rests on it.
  change(make) {
    make();
    for (const one of cells.slice(cells.indexOf(this))) one.hasRun = false;
  }
}

// Add an output to those that are there. What one stream says stays in one piece, without its beginning if it is long.
function add(outputs, output) {
  const last = outputs.at(-1);
  if (output.output_type === "clear") outputs.length = 0;
  else if (output.output_type === "update") outputs.forEach((one, at) => one.id === output.id && (outputs[at] = { ...one, data: output.data }));
  else if (output.output_type === "stream" && last?.name === output.name) {
    last.text += output.text;
    if (last.text.length > 2 * KEPT) last.text = `…${last.text.slice(-KEPT)}`;
  } else outputs.push(output);
}

// What a reader sees of an output in the notebook format.
function drawn({ output_type, text, traceback, data = {} }) {
  const plain = output_type === "error" ? traceback.join("\n") : (text ?? data["text/markdown"] ?? data["text/latex"] ?? data["text/plain"] ?? "");
  const picture = ["image/png", "image/jpeg"].find((kind) => data[kind]);
  if (picture) {
    const image = new Image();
    image.src = `data:${picture};base64,${data[picture]}`;
    image.alt = data["text/plain"] ?? "";
    return image;
  }
  const html = data["text/html"] ?? data["image/svg+xml"];
  if (html) {
    const { body } = new DOMParser().parseFromString(html, "text/html");
    for (const element of body.querySelectorAll("script, style")) element.remove(); // a style would change the page around it
    const box = document.createElement("div");
    box.append(...body.childNodes);
    return box;
  }
  const pre = document.createElement("pre");
  pre.textContent = plain.replace(/\x1b\[[\d;]*m/g, ""); // the colours of a terminal are made for one background
  return pre;
}

// Of this page, the part behind `#` is done, or all of it. `progress.js` keeps it.
function tellDone(part) {
  dispatchEvent(new CustomEvent("done", { detail: part }));
}

function run(cell) {
  if (cell.busy) return;
  const asked = stops;
  cell.busy = true;
  cell.say("Waiting for the cell that runs.");
  work = work.then(() => attempt(cell, asked)).finally(() => (cell.busy = false));
}

// Stop what runs, and all that waits.
function stop() {
  stops++;
  python?.stop();
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

function startOver() {
  if (!confirm("Start over? You lose all accounts, tokens and links of the mock server in this browser tab, and what .env says.")) return;
  stop();
  end();
  keep(null);
  panel.showPage("/settings/api");
}

// Ask Python, after the cells that wait for it.
function ask(request) {
  const answer = work.then(async () => {
    try {
      await started();
      return await python.ask(request);
    } catch (error) {
      if (error instanceof Stopped || !python?.started) end(); // else Python lives, and says what it could not do
      throw error;
    }
  });
  work = answer.catch(() => {});
  return answer;
}

async function openPanel(path) {
  if (!panel) {
    const { Panel } = await import(new URL("panel.mjs", here));
    panel ??= new Panel(ask, startOver);
  }
  panel.open(path);
}

async function attempt(cell, asked) {
  if (asked !== stops) return cell.say("Stopped.");
  try {
    if (!python) cell.say("Python is loading.");
    await started((part) => cell.loaded(part));
    cell.loaded(null);
    const above = notebook ? cells.slice(0, cells.indexOf(cell)).filter(({ hasRun }) => !hasRun) : [];
    if (above.length) cell.say("Running the cells above.");
    for (const one of [...above, cell]) {
      await one.run();
      if (asked !== stops) return cell.say("Stopped.");
      cell.busy = true;
    }
  } catch (error) {
    end();
    cell.say(
      error instanceof Stopped
        ? "Stopped. What your cells made is gone, your accounts and .env are kept. Run starts a new Python."
        : `Python did not start, or ended: ${error.message}. Run tries again.`,
    );
  } finally {
    cell.loaded(null);
  }
}

// The reader comes back by the browser's Back button, and did more on another page.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted || stored() === kept) return;
  kept = stored();
  end();
});

const cells = [...document.querySelectorAll(".run-bar")].map((bar, index) => new Cell(bar, index));

// Only where cells run in order: elsewhere such a link leads to the mock server on the reader's computer.
const opener = document.querySelector(".run-here button");
if (opener) {
  opener.addEventListener("click", () => openPanel());
  document.querySelector("article").addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='http://127.0.0.1:8787/']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPanel(new URL(link.href).pathname);
  });
}
