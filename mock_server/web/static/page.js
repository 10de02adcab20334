// The pages work without this script. It adds the Copy button, forgets the token sooner, and keeps your place on the class board.
const token = document.getElementById("token");
const copy = document.getElementById("copy");

if (token) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(token.textContent);
      copy.textContent = "Copied";
    } catch {
      // Browsers give pages the clipboard on https and localhost only: select it for the keyboard.
      getSelection().selectAllChildren(token);
      copy.textContent = "Press Ctrl+C";
    }
  });
  // Some browsers keep a page as it was for their back button. Shown once means once.
  addEventListener("pagehide", () => document.getElementById("new-token").remove());
}

const board = document.getElementById("board");

if (board) {
  const pause = document.getElementById("pause");
  let paused = false;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
  });
  setInterval(async () => {
    if (paused) return;
    const text = await fetch(location.href).then((answer) => answer.ok && answer.text(), () => false);
    document.getElementById("no-answer").hidden = Boolean(text);
    if (!text) return;
    const now = new DOMParser().parseFromString(text, "text/html").getElementById("board");
    // To load the whole page again would move the focus and the selection, and so would tables that say nothing new.
    if (now.innerHTML !== board.innerHTML) board.replaceChildren(...now.childNodes);
  }, 5000);
}
