// Show a page of the mock server in a frame. Its links and forms go to `ask`, since no server stands behind them.
export function show(frame, html, ask) {
  frame.style.visibility = "hidden"; // nobody clicks before the clicks are caught
  frame.onload = () => {
    frame.style.visibility = "";
    frame.inert = false;
    const page = frame.contentDocument;
    page.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='.']");
      if (!link) return;
      event.preventDefault();
      ask({ path: link.getAttribute("href") });
    });
    page.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = Object.fromEntries(new FormData(event.target, event.submitter));
      ask({ path: event.target.getAttribute("action"), form });
    });
  };
  frame.srcdoc = html;
}
