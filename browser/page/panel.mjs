// Beside the page: Settings > API of its mock server, and its `.env`. Loaded when a reader first asks for one of the two.

import { show } from "./window.mjs";

const HTML = `
  <div class="run-panel__bar">
    <button type="button">Settings &gt; API</button>
    <button type="button">.env</button>
    <span role="status"></span>
    <button type="button">Start over</button>
    <button type="button" aria-label="Close">✕</button>
  </div>
  <iframe title="Settings &gt; API of the mock server on this page"></iframe>
  <form><label>.env <textarea spellcheck="false" autocapitalize="off"></textarea></label><button>Save</button></form>`;

export class Panel {
  // `ask` puts a question to Python and returns its answer. `startOver` forgets all that was done.
  constructor(ask, startOver) {
    this.ask = ask;
    this.dialog = document.createElement("dialog");
    this.dialog.className = "run-panel md-typeset";
    this.dialog.ariaLabel = "Settings > API and .env";
    this.dialog.innerHTML = HTML;
    [this.pageButton, this.fileButton, this.startOverButton, this.closeButton] = this.dialog.querySelectorAll(".run-panel__bar button");
    this.frame = this.dialog.querySelector("iframe");
    this.form = this.dialog.querySelector("form");
    this.text = this.dialog.querySelector("textarea");
    this.status = this.dialog.querySelector("[role=status]");
    this.pageButton.addEventListener("click", () => this.showPage());
    this.fileButton.addEventListener("click", () => this.showFile());
    this.startOverButton.addEventListener("click", startOver);
    this.closeButton.addEventListener("click", () => this.close());
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.save()));
    document.body.append(this.dialog);
  }

  open(path) {
    this.opener = document.activeElement;
    document.body.classList.add("run-panel-open");
    this.dialog.show();
    this.opener.scrollIntoView({ block: "nearest" }); // the text is narrower now
    this.showPage(path);
  }

  close() {
    document.body.classList.remove("run-panel-open");
    this.dialog.close();
    this.opener?.focus();
  }

  choose(isFile) {
    this.form.hidden = !isFile;
    this.frame.hidden = isFile;
    this.fileButton.ariaPressed = String(isFile);
    this.pageButton.ariaPressed = String(!isFile);
  }

  showPage(path) {
    this.choose(false);
    if (path || !this.frame.srcdoc) this.visit({ path: path ?? "/settings/api" });
  }

  // Until the answer is there, the page that is about to go takes no input.
  async visit(request) {
    this.frame.inert = true;
    const html = await this.answer({ visit: request });
    if (html) show(this.frame, html, (next) => this.visit(next));
  }

  async showFile() {
    this.choose(true);
    this.text.value = (await this.answer({ readSettings: true })) ?? this.text.value;
    this.text.focus();
  }

  async save() {
    if ((await this.answer({ saveSettings: this.text.value })) !== null) this.status.textContent = "Saved. The next cell finds it.";
  }

  // Ask Python, and say what it is waiting for. Returns null if it could not answer.
  async answer(request) {
    this.status.textContent = "Python is loading, or busy.";
    try {
      const answer = await this.ask(request);
      this.status.textContent = "";
      return answer;
    } catch (error) {
      this.status.textContent = `${error.message || "Stopped"}. Press Settings > API or .env to try again.`;
      return null;
    }
  }

  // Python has ended, and its mock server and `.env` with it. Asking at once would start the next one, again and again.
  forget() {
    this.frame.removeAttribute("srcdoc");
    this.text.value = "";
    this.status.textContent = "Python has ended. Press Settings > API or .env to begin anew.";
  }
}
