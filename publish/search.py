"""Put what the search finds in order: the page that explains a thing before those that practise it.

A page's own front matter wins: `search: {boost: 2}`, or `search: {exclude: true}`.
"""

# A part of the source's path → what the search is told. The first that fits.
RANKS = {
    ".solution.ipynb": {"exclude": True},  # It says what its exercise says, and gives the answer away.
    "notebooks/exercises/": {"boost": 0.5},
    "notebooks/": {"boost": 2},
    "explanation/": {"boost": 0.5},
    "workshop/": {"boost": 0.3},
}
# A page → words of people for what it answers in words of its own. One that many pages have would lead all searches here.
WORDS = {
    "notebooks/02-generate-a-token.ipynb": ["key", "lost", "forgot", "regenerate"],
    "notebooks/03-load-it-from-dotenv.ipynb": ["env"],
    "notebooks/04-call-the-api.ipynb": ["requests"],
    "notebooks/08-revoke-and-react-to-a-leak.ipynb": ["delete", "logout"],
    "reference/api.md": ["base", "OpenAPI", "Postman", "Swagger", "webhook"],
    "reference/why-a-token-stops-working.md": ["expired", "unauthorized"],
    "review.md": ["quiz"],
}


def rank(html, page, config, files):
    """Rank the page, and let it be found by other words: Material's search takes a page's tags for the best of them."""
    source = page.file.src_uri
    if rank := next((rank for part, rank in RANKS.items() if part in source), None):
        page.meta.setdefault("search", rank)
    if source in WORDS:
        page.meta["tags"] = WORDS[source]
    return html.replace('<div class="tabbed-labels">', '<div class="tabbed-labels" data-search-exclude>')  # read in one word
