// If a search finds nothing, it offers the nearest words that the site has: most often one letter is missing.
{
  const box = document.querySelector(".md-search__input")
  const meta = document.querySelector(".md-search-result__meta")
  const nothing = JSON.parse(document.querySelector("#__config").textContent).translations["search.result.none"]
  const offer = document.createElement("p")
  offer.className = "md-search-result__nearest"
  offer.hidden = true
  meta.after(offer)
  let words = null // of the site → how often it has them

  async function load() {
    // Where the site is opened as a file, a page can read no other: there the theme has loaded the index as a script.
    const { docs } = globalThis.__index ?? (await (await fetch(new URL("search/search_index.json", __md_scope))).json())
    words = new Map()
    for (const { title, text } of docs)
      for (const word of `${title} ${text.replace(/<[^>]*>/g, " ")}`.toLowerCase().match(/[a-z]{4,}/g) ?? [])
        words.set(word, (words.get(word) ?? 0) + 1)
  }

  // How many letters must be added, taken out or changed.
  function distance(one, other) {
    let above = [...Array(other.length + 1).keys()]
    for (let i = 1; i <= one.length; i++) {
      const row = [i]
      for (let j = 1; j <= other.length; j++)
        row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (one[i - 1] !== other[j - 1]))
      above = row
    }
    return above.at(-1)
  }

  async function suggest() {
    const asked = box.value.trim().toLowerCase()
    offer.hidden = true
    if (!asked || meta.textContent.trim() !== nothing) return
    if (!words) await load()
    const typed = asked.split(/\s+/)
    const wrong = typed.findIndex((word) => ![...words.keys()].some((one) => one.startsWith(word)))
    if (wrong < 0 || !words.size || asked !== box.value.trim().toLowerCase()) return
    const nearest = [...words.keys()]
      .map((word) => [distance(typed[wrong], word), -words.get(word), word])
      .sort(([a, b], [c, d]) => a - c || b - d)
      .slice(0, 3)
    offer.replaceChildren("Nearest: ", ...nearest.flatMap(([, , word]) => [button(typed.with(wrong, word).join(" ")), " "]))
    offer.hidden = false
  }

  function button(query) {
    const one = document.createElement("button")
    one.type = "button"
    one.textContent = query
    one.addEventListener("click", () => {
      box.value = query
      box.focus()
      box.dispatchEvent(new Event("keyup"))
    })
    return one
  }

  new MutationObserver(suggest).observe(meta, { childList: true, characterData: true, subtree: true })
}
