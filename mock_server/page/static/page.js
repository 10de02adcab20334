// The page works without this script: it only adds the Copy button and forgets the token sooner.
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
