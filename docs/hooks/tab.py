"""MkDocs hook that puts the course in a browser tab on the site, and on each notebook's page the ways to run it.

`python -m browser.build` makes it first. A site that is built without it has no button, and the build says so.
"""

import logging
import re
import shutil
from html import escape
from pathlib import Path
from urllib.parse import quote

from mkdocs.plugins import event_priority
from mkdocs.utils import get_relative_url

log = logging.getLogger("mkdocs.plugins.tab")

# What a first visit loads; tests/test_tab.py measures it.
MEGABYTES = 13


def lab(config):
    """Return the folder that the build makes."""
    return Path(config.config_file_path).parent / "browser" / ".build" / "lab"


def has_tab(config):
    """Say whether the site gets it. One that is opened from files doesn't: a browser runs Python from a server only."""
    return config.use_directory_urls and lab(config).is_dir()


def on_page_markdown(markdown, page, config, files):
    """Put a button that loads Python in the place of `<!-- live: docs/live/….py -->`."""
    if not has_tab(config):
        return re.sub(r"<!-- live: .* -->\n", "", markdown)
    repl, script = (get_relative_url(path, page.url) for path in ("lab/repl/index.html", "assets/live.js"))

    def cell(found):
        code = escape((lab(config).parents[2] / found[1]).read_text(encoding="utf-8")).replace("\n", "&#10;")
        return (
            f'<div class="live-cell"><p><button class="md-button" data-lab="{repl}" data-code="{code}">Try it here</button> '
            f'<span role="status">Nothing to install. Loads about {MEGABYTES} MB, once.</span></p></div>\n<script defer src="{script}"></script>\n'
        )

    return re.sub(r"<!-- live: (.*) -->\n", cell, markdown)


@event_priority(-50)  # After the hook that writes the page.
def on_page_content(html, page, config, files):
    """Add the button above the line below the title, and to that line the places where the notebook runs."""
    if not page.file.src_uri.endswith(".ipynb"):
        return None
    html = html.replace("or run it</p>", f"or run it: {places(page, config, files)}</p>", 1)
    if not has_tab(config):
        return html
    address = f"{get_relative_url('tab/', page.url)}?notebook={page.file.src_uri}"
    button = (
        f'<p class="run-here" data-search-exclude><a class="md-button md-button--primary" href="{address}">'
        f"Run it in your browser</a> Nothing to install. Loads about {MEGABYTES} MB, once.</p>"
    )
    return html.replace('<p class="notebook-source"', f'{button}<p class="notebook-source"', 1)


def places(page, config, files):
    """Return links to the places where the notebook runs. VS Code and Binder take it from the repository, if it is known."""

    def how_to(path):
        return files.get_file_from_path(path).url_relative_to(page.file)

    places = {"on your computer": how_to("quickstart.md")}
    if config.repo_url:
        repository = config.repo_url.rstrip("/")
        owner = repository.removeprefix("https://github.com/")
        if owner != repository:
            path = quote(f"lab/tree/{page.file.src_uri}", "")
            places["Binder"] = f"https://mybinder.org/v2/gh/{owner}/HEAD?urlpath={path}"
        places["VS Code"] = f"vscode://vscode.git/clone?url={quote(repository, '')}"
    places["elsewhere"] = how_to("how-to/run-the-course-elsewhere.md")
    return ", ".join(f'<a href="{escape(address)}">{name}</a>' for name, address in places.items())


def on_post_build(config):
    """Copy it to the site."""
    if not has_tab(config):
        log.info("The course in a browser tab is left out: no server is meant, or `python -m browser.build` was not run.")
        return
    site = Path(config.site_dir)
    shutil.copytree(lab(config), site / "lab", dirs_exist_ok=True)
    shutil.copytree(lab(config).parent.parent / "shell", site / "tab", dirs_exist_ok=True)
