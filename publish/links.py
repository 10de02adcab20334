"""Let a page link to a notebook by its place in the project, so that the link works on GitHub too.

The notebooks live beside `docs/`, and on the site below it: a page there is one folder nearer to them.
"""

import re


def lead_to_notebooks(markdown, page, config, files):
    """Turn `../notebooks/…` of a page in `docs/` into `notebooks/…`."""
    if page.file.src_uri.endswith(".ipynb"):
        return markdown
    return re.sub(r"(?<=\]\()\.\./(?=(\.\./)*notebooks/)", "", markdown)
