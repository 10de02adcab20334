// What a reader has done of the course: kept in this browser, shown as ticks in the navigation, as a way to go on on the
// home page, and as a whole on the page "Your progress".
{
  const NAME = "linked.is kit: done"
  const scope = __md_scope.href // the top of the site
  const keyOf = (link) => link.href.slice(scope.length) // such as notebooks/exercises/01-start-here/#1-check-it
  let done = read()

  function read() {
    try {
      return new Set(JSON.parse(localStorage.getItem(NAME)) ?? [])
    } catch { // the browser keeps the storage from pages, or something else is in it
      return new Set()
    }
  }

  function set(key, is) {
    if (is) done.add(key)
    else done.delete(key)
    write()
  }

  function write() {
    try {
      localStorage.setItem(NAME, JSON.stringify([...done].sort()))
    } catch {} // it lasts until the page is left
    show()
  }

  function show() {
    for (const link of document.querySelectorAll(".md-nav__link[href]")) link.classList.toggle("done", done.has(keyOf(link)))
    for (const box of document.querySelectorAll(".progress [type=checkbox]")) box.checked = done.has(box.value)
    const steps = [...document.querySelectorAll(".progress a")]
    if (steps.length) document.querySelector(".progress [role=status]").textContent = `${count(steps)}.`
    const home = document.querySelector(".go-on")
    if (home) goOn(home)
  }

  const count = (steps) => `${steps.filter((step) => done.has(keyOf(step))).length} of ${steps.length} done`

  // On the home page: what comes next, for those who have begun.
  async function goOn(home) {
    home.hidden = !done.size
    if (!done.size) return
    const list = home.querySelector("a:last-of-type")
    const answer = await fetch(list.href).catch(() => null) // a page that is opened as a file may read no other
    if (!answer?.ok) return
    const page = new DOMParser().parseFromString(await answer.text(), "text/html")
    const steps = [...page.querySelectorAll(".progress a")]
    for (const step of steps) step.href = new URL(step.getAttribute("href"), list.href)
    const next = steps.find((step) => !done.has(keyOf(step)))
    list.textContent = count(steps)
    list.parentElement.replaceChildren(...(next ? ["Go on with ", next, ". "] : ["You have done the whole course. "]), list)
  }

  // Run and the checks say what was done: the part of this page behind `#`, or all of it.
  addEventListener("done", ({ detail }) => set(location.href.replace(/[?#].*/, "").slice(scope.length) + detail, true))
  addEventListener("storage", ({ key }) => key === NAME && ((done = read()), show()))

  const list = document.querySelector(".progress")
  if (list) {
    for (const link of list.querySelectorAll("a")) {
      const box = document.createElement("input")
      box.type = "checkbox"
      box.value = keyOf(link)
      box.ariaLabel = `Done: ${link.textContent}`
      box.addEventListener("change", () => set(box.value, box.checked))
      link.before(box)
    }
    list.insertAdjacentHTML("afterbegin", `<p><span role="status"></span>
      <button type="button" class="md-button">Save as a file</button>
      <label class="md-button">Load a file<input type="file" accept=".json"></label>
      <button type="button" class="md-button">Forget all</button></p>`)
    const [save, forget] = list.querySelectorAll("button")
    const file = list.querySelector("[type=file]")
    const status = list.querySelector("[role=status]")
    save.addEventListener("click", () => {
      const link = document.createElement("a")
      link.href = URL.createObjectURL(new Blob([JSON.stringify([...done].sort())], { type: "application/json" }))
      link.download = "linked-is-progress.json"
      link.click()
      URL.revokeObjectURL(link.href)
    })
    file.addEventListener("change", async () => {
      const known = new Set([...list.querySelectorAll("[type=checkbox]")].map(({ value }) => value))
      try {
        const keys = JSON.parse(await file.files[0].text()).filter((key) => known.has(key))
        for (const key of keys) done.add(key)
        write()
      } catch {
        status.textContent = "This is not a file that this page saved. Nothing has changed."
      }
      file.value = ""
    })
    forget.addEventListener("click", () => {
      if (!confirm("Forget all that you have done? This can't be undone.")) return
      done = new Set()
      write()
    })
  }
  show()
}
