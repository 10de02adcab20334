"""MkDocs hook that lets a page link to a notebook by its place in the project, so that the link works on GitHub too.

The notebooks live beside `docs/`, and on the site below it: a page there is one folder nearer to them.
"""

import re

from mkdocs.plugins import event_priority


@event_priority(100)  # Before the hooks that write links into pages: those write them as on the site.
def on_page_markdown(markdown, page, config, files):
    """Turn `../notebooks/…` of a page in `docs/` into `notebooks/…`."""
    if page.file.src_uri.endswith(".ipynb"):
        return markdown
    return re.sub(r"(?<=\]\()\.\./(?=(\.\./)*notebooks/)", "", markdown)
