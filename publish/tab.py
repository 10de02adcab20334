"""Let pages run their Python, and put the course in a browser tab on the site.

`python -m browser.build` makes it first. A site that is built without it has no button, and the build says so.
"""

import logging
import re
import shutil
from html import escape
from itertools import count
from pathlib import Path
from urllib.parse import quote

from mkdocs.utils import get_relative_url

log = logging.getLogger("mkdocs.plugins.tab")

# What the first Run loads; tests/tab/test_tab.py measures it.
MEGABYTES = 19

# Besides notebooks, the pages whose Python is a program of its own, which takes base URL and token from the environment.
RUNNABLE = ("quickstart.md", *(f"reference/{name}" for name in ("api", "controls", "errors", "mock-server", "rate-limits")))
# The solution of an exercise is no cell.
BLOCK = re.compile(
    r'<summary>Solution</summary>.*?</details>|(?P<cell><div class="language-python[^"]*">.*?</pre></div>)', re.DOTALL
)
SLIDES = re.compile("<!-- slides: (.+?) -->")
BAR = (
    '\n<div class="run-bar" data-search-exclude><button type="button" aria-label="Run cell {0}">Run</button>'
    '<button type="button" aria-label="Edit cell {0}">Edit</button><span role="status"></span></div>'
)


def lab(config):
    """Return the folder that the build makes."""
    return Path(config.config_file_path).parent / "browser" / ".build" / "lab"


def has_tab(config):
    """Say whether the site gets it. One that is opened from files doesn't: a browser runs Python from a server only."""
    return config.use_directory_urls and lab(config).is_dir()


def write_live_programs(markdown, page, config, files):
    """Put a sentence, and a program that makes its own token, in the place of `<!-- live: docs/live/….py sentence -->`."""

    def program(found):
        code = (lab(config).parents[2] / found[1]).read_text(encoding="utf-8")
        return f"{found[2]}\n\n```python\n{code}```\n" if has_tab(config) else ""

    return re.sub(r"<!-- live: (\S+) (.*) -->\n", program, markdown)


def let_code_run(html, page, config, files):
    """Put Run and Edit below each block of Python, and on a notebook's page where else it runs."""
    source = page.file.src_uri
    html = SLIDES.sub(lambda found: slides(found[1], page, config), html)
    is_notebook = source.endswith(".ipynb")
    if is_notebook:
        html = html.replace("or run it</p>", f"or run it: {places(page, config, files)}</p>", 1)
    is_program = source.startswith(RUNNABLE)
    if not has_tab(config) or not (is_notebook or page.is_homepage or is_program):
        return html
    number = count(1)
    html, cells = BLOCK.subn(lambda block: block[0] + (BAR.format(next(number)) if block["cell"] else ""), html)
    if cells:
        attributes = 'data-token="true"' if is_program else f'data-notebook="{kind(source)}"'
        run = get_relative_url("run/run", page.url)
        html += f'\n<link rel="stylesheet" href="{run}.css">\n<script defer src="{run}.js" {attributes}></script>\n'
    if is_program:
        return html
    in_lab, above = "", '<div class="language-python'  # the home page's first cell
    if is_notebook:
        address = f"{get_relative_url('tab/', page.url)}?notebook={source}"
        in_lab, above = f' Or <a href="{address}">open it in JupyterLab</a> in this browser.', '<p class="notebook-source"'
    here = (
        f'<p class="run-here" data-search-exclude>Press Run below a cell: nothing to install, about {MEGABYTES} MB, once. '
        f'To see what it talks to, open <button type="button">Settings &gt; API and .env</button>.{in_lab}</p>'
    )
    return html.replace(above, here + above, 1)


def slides(name, page, config):
    """Return a link to the slides of a lesson, if the site has them."""
    address = get_relative_url(f"slides/{name}.html", page.url)
    return f'<a href="{address}">Show its slides</a>.' if has_tab(config) else ""


def kind(source):
    """Tell a lesson from exercises, and both from what nobody has to do: the solutions, and the home page."""
    if not source.endswith(".ipynb") or ".solution" in source:
        return "other"
    return "exercise" if "exercises/" in source else "lesson"


def places(page, config, files):
    """Return links to the places where the notebook runs. VS Code, Binder and Codespaces take it from the repository, if it is known."""

    def how_to(path):
        return files.get_file_from_path(path).url_relative_to(page.file)

    places = {"on your computer": how_to("quickstart.md")}
    if config.repo_url:
        repository = config.repo_url.rstrip("/")
        owner = repository.removeprefix("https://github.com/")
        if owner != repository:
            path = quote(f"lab/tree/{page.file.src_uri}", "")
            places["Binder"] = f"https://mybinder.org/v2/gh/{owner}/HEAD?urlpath={path}"
            places["Codespaces"] = f"https://codespaces.new/{owner}"
        places["VS Code"] = f"vscode://vscode.git/clone?url={quote(repository, '')}"
    places["elsewhere"] = how_to("how-to/run-the-course-elsewhere.md")
    return ", ".join(f'<a href="{escape(address)}">{name}</a>' for name, address in places.items())


def copy_tab(config):
    """Copy it to the site."""
    if not has_tab(config):
        log.info("The course in a browser tab is left out: no server is meant, or `python -m browser.build` was not run.")
        return
    site = Path(config.site_dir)
    shutil.copytree(lab(config), site / "lab", dirs_exist_ok=True)
    shutil.copytree(lab(config).parent / "page", site / "run", dirs_exist_ok=True)
    shutil.copytree(lab(config).parent / "slides", site / "slides", dirs_exist_ok=True)
    shutil.copytree(lab(config).parent.parent / "shell", site / "tab", dirs_exist_ok=True)
