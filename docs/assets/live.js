// Cells that run on the page: a button loads Python, and an editable request takes its place. The frame takes over the
// page's scheme, light or dark.
const run = matchMedia("(any-pointer: fine)").matches ? "Shift+Enter" : "the arrow \u25b6\ufe0e above it"; // as in browser/shell/shell.js

function load(button) {
  const { lab, code } = button.dataset;
  const status = button.nextElementSibling;
  const options = new URLSearchParams({
    kernel: "python",
    code,
    execute: "0",
    promptCellPosition: "top",
    clearCellsOnExecute: "1",
    clearCodeContentOnExecute: "0",
    hideCodeInput: "1",
    showBanner: "0",
    toolbar: "1",
  });
  const frame = document.createElement("iframe");
  frame.title = "A request to edit and run";
  frame.src = `${lab}?${options}`;
  frame.hidden = true; // until it is ready: it begins white in the dark too, and takes the focus
  button.closest(".live-cell").append(frame);
  button.ariaDisabled = "true"; // a button that is `disabled` loses the focus
  status.textContent = "Python is loading.";
  const waiting = setInterval(() => {
    const { console: cells, sessionContext } = frame.contentWindow.jupyterapp?.shell.currentWidget ?? {};
    const cell = cells?.promptCell;
    if (sessionContext?.session?.kernel?.status !== "idle" || !cell?.model.sharedModel.source) return;
    clearInterval(waiting);
    new frame.contentWindow.ResizeObserver((_, drawn) => {
      drawn.disconnect();
      if ([button, document.body].includes(document.activeElement)) cell.editor.focus(); // the reader went nowhere else
      button.remove();
      status.textContent = `Change the request if you like, and run it with ${run}.`;
    }).observe(cell.node); // it takes the focus when it is drawn, not before
    frame.hidden = false;
  }, 100);
}

for (const button of document.querySelectorAll(".live-cell button")) {
  button.addEventListener("click", () => load(button), { once: true });
}
