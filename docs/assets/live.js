// Cells that run on the page: a button loads Python, an editable request takes its place.
for (const button of document.querySelectorAll(".live-cell button")) {
  button.addEventListener("click", () => {
    const { lab, code } = button.dataset;
    const dark = document.body.dataset.mdColorScheme === "slate";
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
      theme: dark ? "JupyterLab Dark" : "JupyterLab Light",
    });
    const frame = document.createElement("iframe");
    frame.title = "A request to edit and run";
    frame.src = `${lab}?${options}`;
    const note = document.createElement("p");
    note.textContent = "Python is loading. When the code shows, change it if you like, and run it with Shift+Enter.";
    button.closest(".live-cell").replaceChildren(note, frame);
  });
}
