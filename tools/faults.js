// What a person would stumble over on the page as it stands, one line each. tools/judges.py runs it.
async () => {
  const CONTROLS = "a[href], button, input, select, textarea, summary, [role=button]";
  const LINE = [0.01, 0.5, 0.99].flatMap((x) => [[x, 0.3], [x, 0.7]]); // parts of a line's width and height
  const CENTRE = [[0.5, 0.5]];
  const faults = new Set();
  const printed = matchMedia("print").matches; // Nothing scrolls on paper.
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const named = ({ localName, classList, textContent, ariaLabel }) =>
    `${[localName, ...classList].join(".")} (${(textContent.trim() || ariaLabel || "").replace(/\s+/g, " ").slice(0, 60)})`;
  const frame = async () => {
    await new Promise(requestAnimationFrame);
    for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
  };

  // Return what can be seen of an element's box, nothing if it is for screen readers, and what no scrolling brings back.
  function visible(element, box) {
    let { left, right, top, bottom } = box;
    const slack = box.height / 4; // A font may be higher than its line.
    const hanging = getComputedStyle(element).whiteSpace === "pre-wrap" ? box.height : 1; // the space where a line breaks
    let holder, sticksOut, lost, scrolls = false;
    for (let around = element; around !== document.body; around = around.parentElement) {
      const { display, overflow } = getComputedStyle(around);
      const clips = overflow !== "visible";
      if (display === "inline" || display === "contents" || (holder && !clips)) continue;
      holder ??= around;
      const edge = around.getBoundingClientRect();
      if (clips && Math.min(edge.width, edge.height) <= 1) return {};
      scrolls ||= !printed && /auto|scroll/.test(overflow);
      const fits =
        left > edge.left - 1 && right < edge.right + hanging && top > edge.top - slack && bottom < edge.bottom + slack;
      if (!fits && !scrolls && clips) lost ??= `${named(around)} cuts off ${named(element)}`;
      if (!fits && !clips) sticksOut = `${named(element)} sticks out of ${named(around)}`;
      if (!clips) continue;
      left = Math.max(left, edge.left);
      right = Math.min(right, edge.left + around.clientLeft + around.clientWidth);
      top = Math.max(top, edge.top);
      bottom = Math.min(bottom, edge.bottom);
    }
    if (!scrolls) lost ??= sticksOut;
    if (left < -1 || right > innerWidth + hanging) lost ??= `${named(element)} sticks out of the window`;
    return { lost, part: right - left > 2 && bottom - top > 2 && new DOMRect(left, top, right - left, bottom - top) };
  }

  // Return what lies on a point of an element. A link that spreads over its card is seen through. What the element is in does
  // not lie on it, unless a click should go to the element and doesn't.
  function above(element, [x, y], clicked) {
    const before = element.style.pointerEvents; // A label that is only read lets clicks through, and would not be found.
    const unseen = !clicked && getComputedStyle(element).pointerEvents === "none";
    if (unseen) element.style.pointerEvents = "auto"; // A change makes the browser lay out the page anew.
    const top = document.elementFromPoint(x, y);
    if (unseen) element.style.pointerEvents = before;
    if (!top || element.contains(top) || (top.contains(element) && !clicked)) return null;
    const boxes = [...top.getClientRects()];
    return boxes.some(({ left, right, top, bottom }) => left <= x && x <= right && top <= y && y <= bottom) ? top : null;
  }

  // Look at a line of an element's text, or at the element to be clicked: where it is, then in the middle of the window. A
  // script that moves things after that has 600 frames to do it, on a busy computer, and 3 where a fault is sure already.
  async function look(element, measured, clicked = false) {
    const patience = faults.size ? 3 : 600;
    for (let frames = 0; measured(); frames++) {
      const { top, bottom } = measured();
      const y = (top + bottom) / 2;
      if (frames || y < 0 || y > innerHeight) scrollBy({ top: y - innerHeight / 2, behavior: "instant" });
      const { lost, part } = visible(element, measured());
      const parts = part ? (clicked ? CENTRE : LINE) : [];
      const spots = parts.map(([x, y]) => [part.x + x * part.width, part.y + y * part.height]);
      const cover = spots.map((spot) => above(element, spot, clicked)).find(Boolean);
      if (!lost && !cover) return;
      if (frames === patience) return faults.add(lost ?? `${named(cover)} covers ${named(element)}`);
      await frame();
    }
  }

  // Return how wide a control would be if it had all the room that it wants.
  function wished(control) {
    control.style.width = "max-content";
    const width = control.offsetWidth;
    control.style.removeProperty("width");
    return width;
  }

  const looked = new WeakSet();
  for (const start of [0, document.documentElement.scrollHeight]) { // At its end a page may show something else.
    scrollTo({ top: start, behavior: "instant" });
    for (let frames = 0; frames < 3; frames++) await frame();
    const excess = document.documentElement.scrollWidth - innerWidth;
    if (excess > 0) faults.add(`The page is ${excess} pixels too wide`);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode, element = text.parentElement;
      if (looked.has(text) || !text.data.trim() || element.closest("svg") || !seen(element)) continue;
      looked.add(text);
      const range = new Range();
      range.selectNodeContents(text);
      const lines = () => [...range.getClientRects()].filter((line) => line.width > 0);
      for (const line of lines().keys()) await look(element, () => lines()[line]);
      const width = lines().reduce((sum, line) => sum + line.width, 0);
      if (element.localName === "code" && /^\w+$/.test(text.data) && lines().length > 1 && width < innerWidth / 2) {
        faults.add(`${named(element)} is one name, broken`);
      }
    }
    for (const control of document.querySelectorAll(CONTROLS)) {
      if (looked.has(control) || !seen(control)) continue;
      looked.add(control);
      if (control.matches(":disabled")) faults.add(`${named(control)} is disabled`);
      if (control.localName === "select" && control.offsetWidth < wished(control)) faults.add(`${named(control)} is too narrow`);
      await look(control, () => control.getClientRects()[0], true);
    }
  }
  scrollTo({ top: 0, behavior: "instant" });
  return [...faults];
}
