// Additions to the theme for readers with a keyboard or a screen reader: the part that needs a script.
// publish/accessible.py and notebook.css do the rest.
document$.subscribe(() => {
  // The box around a copy button is no place to navigate to, and a page has dozens.
  for (const box of document.querySelectorAll(".md-code__nav")) box.setAttribute("role", "presentation")

  // The sign beside the name of a lesson folds what is below it, and has no name of its own.
  for (const sign of document.querySelectorAll(".md-nav__container > label")) sign.removeAttribute("tabindex")

  // Not every browser lets the keyboard scroll what can't take the focus.
  const tables = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0
      else target.removeAttribute("tabindex")
    }
  })
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) tables.observe(box)

  // On a narrow screen the navigation is a drawer. The label that opens it becomes a button, which the keyboard reaches;
  // Escape closes it, as it closes the search.
  const drawer = document.getElementById("__drawer")
  const label = document.querySelector(".md-header__button[for=__drawer]")
  const opener = document.createElement("button")
  opener.className = label.className
  opener.ariaLabel = "Navigation"
  opener.ariaExpanded = drawer.checked
  opener.append(...label.childNodes)
  label.replaceWith(opener)
  opener.addEventListener("click", () => drawer.click())
  drawer.addEventListener("change", () => { opener.ariaExpanded = drawer.checked })
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drawer.checked) {
      opener.click()
      opener.focus()
    }
  })
})
