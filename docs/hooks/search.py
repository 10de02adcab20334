"""MkDocs hook that puts what the search finds in order: the page that explains a thing before those that practise it.

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


def on_page_content(html, page, config, files):
    """Rank the page."""
    if rank := next((rank for part, rank in RANKS.items() if part in page.file.src_uri), None):
        page.meta.setdefault("search", rank)
