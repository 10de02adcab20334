// The questions of the lessons: an option that you choose is answered at once. The page "Review" asks again what was missed,
// and what was right some days ago. Only this browser keeps that.
{
  const NAME = "linked.is kit: questions"
  const DAYS = [1, 3, 7] // from each right answer to the next time; after the last one a question is known
  const questions = [...document.querySelectorAll(".question")]
  const review = document.querySelector(".review")
  const answered = new Set() // since the page was opened; what counts is the first choice
  let kept = new Map() // if the browser keeps the storage from pages, it lasts until the page is left

  // id → how often it was right since it was last missed, and from when on it is due: never, if that is null
  function read() {
    try {
      return new Map(Object.entries(JSON.parse(localStorage.getItem(NAME))))
    } catch { // nothing is in it, or something else
      return kept
    }
  }

  function write(records) {
    kept = records
    try {
      localStorage.setItem(NAME, JSON.stringify(Object.fromEntries(records)))
    } catch {}
  }

  // The beginning of a day in the reader's time.
  const midnight = (days) => new Date().setHours(24 * days, 0, 0, 0)
  const dueOf = (id) => read().get(id)?.[1] ?? null
  const isDue = (id) => dueOf(id) !== null && dueOf(id) <= Date.now()

  function record(id, right) {
    const records = read()
    const [times, due] = records.get(id) ?? [0, 0]
    if (right && (due === null || due > Date.now())) return // Right before it is due proves nothing new.
    const days = DAYS[times]
    records.set(id, right ? [times + 1, days ? midnight(days) : null] : [0, 0])
    write(records)
  }

  // The parts of a question are a text, a list of options, and the answers below "Answers", which paper shows.
  function ask(question) {
    const [text, options, answers] = question.children
    const fieldset = document.createElement("fieldset")
    const legend = document.createElement("legend")
    const status = document.createElement("div")
    status.setAttribute("role", "status")
    legend.append(...text.childNodes)
    text.replaceWith(fieldset)
    fieldset.append(legend, options)
    fieldset.after(status)
    answers.open = true
    const boxes = [...options.children].map((option, place) => {
      const label = document.createElement("label")
      const box = document.createElement("input")
      const words = document.createElement("span")
      box.type = "radio"
      box.name = question.id
      words.append(...option.childNodes)
      label.append(box, words)
      option.append(label)
      box.addEventListener("change", () => {
        const right = String(place + 1) === question.dataset.right
        question.dataset.said = right ? "right" : "wrong"
        const answer = answers.querySelectorAll("li")[place].cloneNode(true)
        status.replaceChildren(...answer.childNodes)
        if (answered.has(question)) return
        answered.add(question)
        record(question.id, right)
        if (review) count()
      })
      return box
    })
    // Left to the browser, an arrow chooses as it moves: who wants the third option would be told about the second.
    fieldset.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
      if (!step) return
      event.preventDefault()
      boxes.at((boxes.indexOf(event.target) + step) % boxes.length).focus()
    })
  }

  // On the page "Review".

  function choose() {
    answered.clear()
    for (const question of questions) question.hidden = !isDue(question.id)
    review.classList.add("chosen")
    count()
  }

  function count() {
    const left = questions.filter((question) => !question.hidden && !answered.has(question)).length
    review.querySelector("[role=status]").textContent = left ? `Questions to answer: ${left}.` : nothingLeft()
    review.querySelector("button").hidden = !read().size
  }

  function nothingLeft() {
    const dues = questions.map(({ id }) => dueOf(id)).filter((due) => due !== null)
    if (!read().size) return "You have answered no question yet. Each lesson ends in a few."
    if (!dues.length) return "You know all that you were asked."
    const next = Math.min(...dues)
    if (next <= Date.now()) return "That was all. What you missed comes again when you open this page again."
    const day = new Date(next).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" })
    return `Nothing is due today. The next question comes on ${day}.`
  }

  for (const question of questions) ask(question)

  if (review) {
    review.insertAdjacentHTML("afterbegin", `<p><span role="status"></span>
      <button type="button" class="md-button">Forget my answers</button></p>`)
    review.querySelector("button").addEventListener("click", () => {
      if (!confirm("Forget all that you have answered? This can't be undone.")) return
      write(new Map())
      choose()
    })
    addEventListener("storage", ({ key }) => key === NAME && count())
    choose()
  } else if (questions.length) {
    const note = document.createElement("p")
    note.className = "question-review"
    note.innerHTML = `<a href="${questions[0].dataset.review}">Review</a> asks again what you missed, and the rest after some days.`
    questions.at(-1).after(note)
  }
}
