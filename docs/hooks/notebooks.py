"""MkDocs hook that publishes `notebooks/**/*.ipynb` as pages like all others.

mkdocs-jupyter makes a page of each notebook, and copies it beside the page. It would fill the page with JupyterLab's
markup and style sheet, 575 KB, which takes eight times as long (`make bench-site`). So this hook gives MkDocs the notebook
as Markdown instead: its text as it stands, its code and its outputs as fenced blocks. MkDocs and Material then do what
they do for every page: highlighting, copy buttons, contents, search, and `--strict` for links and anchors. No kernel is
started: the outputs are those in the file, which the tests prove.
"""

import json
import logging
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from markdown.extensions import Extension
from markdown.extensions.toc import slugify
from markdown.treeprocessors import Treeprocessor
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File
from nbconvert.filters import strip_ansi

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.notebooks")

CALLOUTS = {"mock server only", "note", "info", "tip", "success", "question", "warning", "danger", "example"}
LINK = re.compile(r"(?<=]\()([^)\s#]*)(#[^)\s]*)?")


def on_config(config):
    """Teach Markdown the two kinds of output, and callouts that are written as quotes."""
    # From 0.27 on, mkdocs-jupyter makes each page load MathJax from another origin, but for this version.
    config.plugins["mkdocs-jupyter"].config["mathjax_version"] = 2
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", [])
    fences += [{"name": name, "class": "cell-output", "format": output_box} for name in ("output", "error")]
    config.markdown_extensions.append(Callouts())


@event_priority(100)  # Before mkdocs-jupyter, which looks for notebooks among the files.
def mount(files, config):
    """Mount the notebooks, which live outside `docs/`, under `notebooks/` of the site."""
    project = Path(config.config_file_path).parent
    for path in sorted((project / "notebooks").rglob("*.ipynb")):
        uri = path.relative_to(project).as_posix()
        if ".ipynb_checkpoints" not in uri:  # JupyterLab's own copies
            files.append(File(uri, str(project), config.site_dir, config.use_directory_urls))
    return files


@event_priority(-100)  # After it: what it makes of a file doesn't know where the file is edited.
def lead_to_source(files, config):
    """Let the link to edit a page lead to the notebook, seen from `docs/`."""
    for file in files:
        if is_notebook(file):
            file.edit_uri = f"../{file.src_uri}"
    return files


on_files = CombinedEvent(mount, lead_to_source)


def is_notebook(file):
    """Tell whether a file of the site is a notebook that has a page."""
    return file.src_uri.endswith(".ipynb") and file.is_documentation_page()


@event_priority(-100)
def on_pre_page(page, config, files):
    """Take the page back from mkdocs-jupyter: MkDocs renders its Markdown."""
    page.__dict__.pop("render", None)


def on_page_read_source(page, config):
    """Return a notebook as Markdown."""
    if not is_notebook(page.file):
        return None
    markdown = markdown_of(json.loads(page.file.content_string), page.file.src_uri)
    if page.file.name.endswith(".solution"):  # It has the heading of its exercises, which are made from it.
        markdown = markdown.replace("# Exercises", "# Solutions", 1)
    return markdown


def markdown_of(notebook, name):
    """Return a notebook, as read from its JSON, as Markdown. `name` is for the warnings."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(site_text(source))
        elif cell["cell_type"] == "code":
            parts += [fenced("python", source), *map(output_markdown, cell["outputs"])]
            failed = any(output["output_type"] == "error" for output in cell["outputs"])
            if failed and "raises-exception" not in cell["metadata"].get("tags", []):
                log.warning("Notebook '%s' has an unexpected error in an output.", name)
    return "\n\n".join(parts) + "\n"


def site_text(source):
    """Return a cell's text with its links as they must be on the site, and with Markdown inside of its HTML."""

    def link(found):
        path, fragment = found[1], found[2] or ""
        if fragment:
            fragment = "#" + slugify(unquote(fragment), "-")  # JupyterLab writes #What-to-keep, the site #what-to-keep.
        return re.sub(r"^((?:\.\./)+)docs/", r"\1", path) + fragment  # `docs/` is the top of the site.

    source = re.sub(r'<img alt="([^"]*)" src="([^"]*)" width="\d+">', r"![\1](\2)", source)  # The site has a size of its own.
    return re.sub(r"(?m)^<details>", "<details markdown>", LINK.sub(link, source))


def output_markdown(output):
    """Return an output of a cell as Markdown: text fenced, a table or a picture as HTML."""
    if output["output_type"] == "stream":
        return fenced("error" if output["name"] == "stderr" else "output", "".join(output["text"]))
    if output["output_type"] == "error":
        return fenced("error", "\n".join(output["traceback"]))
    data = {kind: "".join(text) for kind, text in output["data"].items()}
    text = data.get("text/plain", "")
    if "image/png" in data:
        image = data["image/png"].replace("\n", "")
        return box("output", f'<img alt="{escape(text)}" src="data:image/png;base64,{image}">')
    html = data.get("text/html") or data.get("image/svg+xml")
    if html is None:
        return fenced("output", text)
    html = re.sub(r"<(style|script)\b.*?</\1>|\n\s*(?=\n)", "", html, flags=re.DOTALL)  # An empty line ends HTML.
    return box("output", re.sub(r"<table[^>]*>", "<table>", html).strip())  # Material styles tables without a class.


def fenced(kind, text):
    """Return a fenced block, whose fence is longer than any in the text."""
    text = strip_ansi(text).strip("\n")  # The colours of a terminal are made for one background.
    fence = max(["``", *re.findall(r"^\s*(`{3,})", text, re.MULTILINE)], key=len).strip() + "`"
    return f"{fence}{kind}\n{text}\n{fence}"


def output_box(source, language, css_class, options, md, **unused):
    """Return what the fences `output` and `error` become."""
    return box(language, f"<pre>{escape(source, quote=False)}</pre>")


def box(kind, content):
    """Return a labelled box that can be scrolled with the keyboard and that search leaves out."""
    names, label = ("cell-output", "Output") if kind == "output" else ("cell-output cell-output--error", "Error output")
    # A `section`, since Material's search ends the exclusion at the first end of an element of the same name.
    attributes = f'class="{names}" role="group" aria-label="{label}" tabindex="0" data-search-exclude="true"'
    return f"<section {attributes}>{content}</section>"


class Callouts(Extension):
    """Makes an admonition of `> **Note:** …`, which reads well in JupyterLab and on GitHub too."""

    def extendMarkdown(self, md):
        """Add it to a reader of Markdown."""
        md.treeprocessors.register(CalloutProcessor(md), "callouts", 15)  # After the inline Markdown is read, at 20.


class CalloutProcessor(Treeprocessor):
    """Looks for quotes that begin with a word of ``CALLOUTS`` in bold."""

    def run(self, root):
        """Change them in the tree of a page."""
        for quote in root.iter("blockquote"):
            word = quote.find("./p[1]/strong[1]")
            first = quote[0] if len(quote) else None
            if word is None or first[0] is not word or (first.text or "").strip():
                continue
            name = (word.text or "").removesuffix(":")
            if name.lower() in CALLOUTS:
                first.text = (word.tail or "").lstrip()
                first.remove(word)
                quote.tag = "div"
                quote.set("class", f"admonition {name.lower()}")
                title = ElementTree.Element("p", {"class": "admonition-title"})
                title.text = name
                quote.insert(0, title)


def on_page_content(html, page, config, files):
    """Offer a notebook to be downloaded."""
    if is_notebook(page.file):
        source = f'<a href="{page.file.name}.ipynb" download>Download this notebook</a> or run it'
        line = f'<p class="notebook-source" data-search-exclude="true">{source}</p>'
        html = html.replace("</h1>", f"</h1>\n{line}", 1)
    return html
