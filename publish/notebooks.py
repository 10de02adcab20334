"""Publish `notebooks/**/*.ipynb` as pages like all others.

mkdocs-jupyter makes a page of each notebook, and copies it beside the page. It would fill the page with JupyterLab's
markup and style sheet, 575 KB, which takes eight times as long (`make bench-site`). So this module gives MkDocs the text of
the notebook as Markdown, with a mark for each code cell and each output. Code and outputs are data: no Markdown, snippet or
marker may be read in them. So they take the places of their marks after Markdown has run, as HTML on the page and as
fenced blocks in the published Markdown. No kernel is started: the outputs are those in the file, which the tests prove.
"""

import json
import logging
import re
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import mistune
import pygments
from markdown.extensions import Extension
from markdown.extensions.toc import slugify_unicode
from markdown.treeprocessors import Treeprocessor
from mkdocs.structure.files import File
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from publish.lessons import read_lesson
from publish.terminal import shown

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.notebooks")

CALLOUTS = {"mock server only", "note", "info", "tip", "success", "question", "warning", "danger", "example"}
MARK = re.compile(r"<!-- part \d+ of [^>]+ -->")
# In a text: code, which stays as it is, a picture with a size, the begin of an answer, or where a link leads.
TEXT = re.compile(
    r"^ *(`{3,}|~{3,}).*?^ *\1|(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\2(?!`)|"
    r'<img alt="(?P<alt>[^"]*)" src="(?P<src>[^"]*)" width="\d+">|(?P<details>^<details(?=>))|'
    r"""(?P<before>\]\(|^\[[^]\n]+\]: *|\b(?:src|href)=")(?P<path>[^)"\s#]*)(?P<fragment>#[^)"\s]*)?""",
    re.DOTALL | re.MULTILINE,
)
# What can't be in HTML or isn't seen: all controls but tab and line end, and the halves of a pair.
UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
UNCHANGED = "The checks on this page ran before a line was changed: they say what is still missing."
NOT_SEARCHED = ' data-search-exclude="true"'  # the outputs of notebooks: they are many, and say what the text says
# What an output may be, in the order in which JupyterLab looks for it.
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def teach_markdown(config):
    """Teach Markdown callouts that are written as quotes, anchors in every script, and outputs of cells on other pages."""
    # From 0.27 on, mkdocs-jupyter makes each page load MathJax from another origin, but for this version.
    config.plugins["mkdocs-jupyter"].config["mathjax_version"] = 2
    config.mdx_configs.setdefault("toc", {})["slugify"] = slugify_unicode
    config.markdown_extensions.append(Callouts())
    fence = {"name": "output", "class": "cell-output", "format": lambda source, *_, **unused: printed("output", source, "")[1]}
    config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", []).append(fence)


def mount(files, config):
    """Mount the notebooks, which live outside `docs/`, under `notebooks/` of the site."""
    project = Path(config.config_file_path).parent
    for path in sorted((project / "notebooks").rglob("*.ipynb")):
        uri = path.relative_to(project).as_posix()
        if ".ipynb_checkpoints" in uri:  # JupyterLab's own copies
            continue
        lesson = read_lesson(path)
        lacks = lesson.lacks
        if path.parent.name != "notebooks":
            lacks = lacks[: not lesson.title]  # Exercises need no more than what comes first, a title.
        if lacks:
            until = "no lesson" if lesson.title else "left out"
            log.warning("Notebook '%s' lacks %s: it is %s until it has that.", uri, " and ".join(lacks), until)
        if lesson.title:
            files.append(File(uri, str(project), config.site_dir, config.use_directory_urls))
    return files


def lead_to_source(files, config):
    """Let the link to edit a page lead to the notebook, seen from `docs/`."""
    for file in files:
        if is_notebook(file):
            file.edit_uri = f"../{file.src_uri}"
    return files


def is_notebook(file):
    """Tell whether a file of the site is a notebook that has a page."""
    return file.src_uri.endswith(".ipynb") and file.is_documentation_page()


def take_back(page, config, files):
    """Take the page back from mkdocs-jupyter: MkDocs renders its Markdown."""
    page.__dict__.pop("render", None)


def read_notebook(page, config):
    """Return the text of a notebook as Markdown. Keep its code and outputs for later."""
    if not is_notebook(page.file):
        return None
    notebook, name = json.loads(page.file.content_string), page.file.src_uri
    page.parts, text = {}, [""]  # An empty line comes first: else a text `key: value` is taken for front matter.
    for markdown, html in parts_of(notebook, name):
        if html is not None:
            mark = f"<!-- part {len(page.parts)} of {name} -->"
            page.parts[mark] = (markdown, html)
        text.append(markdown if html is None else mark)
    markdown = "\n\n".join(text) + "\n"
    if page.file.name.endswith(".solution"):  # It has the heading of its exercises, which are made from it.
        markdown = re.sub("^# [^:]+", "# Solutions", markdown, count=1, flags=re.MULTILINE)
    return markdown


def parts_of(notebook, name):
    """Yield each part of a notebook, as read from its JSON: its Markdown and, if it is data, its HTML. `name` is for warnings."""
    for cell in notebook["cells"]:
        source = held("".join(cell["source"]))
        if cell["cell_type"] == "markdown":
            yield site_text(source, cell.get("attachments", {}), name), None
        elif cell["cell_type"] == "code":
            tokens = ((kind, text) for _, kind, text in PythonLexer().get_tokens_unprocessed(source.removesuffix("\n") + "\n"))
            theme = HtmlFormatter(cssclass="language-python highlight", wrapcode=True)  # what Material looks for
            yield fenced("python", source), pygments.format(tokens, theme)
            for stream, outputs in groupby(cell["outputs"], lambda output: output.get("name")):
                if stream:  # What was printed in pieces is one text to a terminal.
                    text = "".join(joined(output["text"]) for output in outputs)
                    yield printed("error" if stream == "stderr" else "output", text)
                else:
                    yield from map(output_of, outputs)
            failed = any(output["output_type"] == "error" for output in cell["outputs"])
            if failed and "raises-exception" not in cell["metadata"].get("tags", []):
                log.warning("Notebook '%s' has an unexpected error in an output.", name)


def site_text(source, attachments, name):
    """Return a cell's text as the site needs it: links, pasted pictures, Markdown inside of HTML, no snippets."""

    def address(path):
        pasted = path.removeprefix("attachment:")
        if pasted == path:
            return re.sub(r"^((?:\.\./)+)docs/", r"\1", path)  # `docs/` is the top of the site.
        if unquote(pasted) in attachments:
            return data_address(attachments[unquote(pasted)])
        log.warning("Notebook '%s' shows '%s', which its cell doesn't have.", name, path)
        return path

    def changed(found):
        if found["details"]:
            return "<details markdown"
        if found["alt"] is not None:  # The site has a size of its own.
            return f"![{found['alt']}]({address(found['src'])})"
        if not found["before"]:
            return found[0]
        fragment = found["fragment"] or ""
        if fragment:  # JupyterLab writes #What-to-keep, the site #what-to-keep.
            fragment = "#" + (slugify_unicode(unquote(fragment), "-") or fragment[1:])
        return found["before"] + address(found["path"]) + fragment

    return re.sub(r"(?m)^([ \t]*)(?=;*-+8<-)", r"\1;", TEXT.sub(changed, source))  # To JupyterLab, a snippet is a text.


def output_of(output):
    """Return an output of a cell that is not printed, as Markdown and as HTML."""
    if output["output_type"] == "error":
        return printed("error", "\n".join(output["traceback"]))
    data = output["data"]
    if html := data.get("text/html") or data.get("image/svg+xml"):
        html = re.sub(r"<(style|script)\b.*?</\1>|\n\s*(?=\n)", "", held(joined(html)), flags=re.DOTALL)
        html = box("output", re.sub(r"<table[^>]*>", "<table>", html).strip())  # Material styles tables without a class.
        return html, html
    if "text/markdown" in data:
        text = held(joined(data["text/markdown"]))
        return text, box("output", mistune.html(text))
    plain = joined(data.get("text/plain", ""))
    if data.keys() & {*PICTURES}:
        html = box("output", f'<img alt="{escape(held(plain))}" src="{data_address(data)}">')
        return html, html
    if "application/json" in data:
        plain = json.dumps(data["application/json"], indent=2, ensure_ascii=False)
    return printed("output", joined(data.get("text/latex", plain)))


def joined(text):
    """Return a text of a notebook, which is one string or the list of its lines."""
    return "".join(text)


def data_address(data):
    """Return the picture among the kinds of an output or an attachment as an address that holds it."""
    kind = next(kind for kind in (*PICTURES, *data) if kind in data)
    return f"data:{kind};base64,{''.join(joined(data[kind]).split())}"


def held(text):
    """Return a text as HTML can hold it: a line ends in one way, and what can't be held or seen becomes �."""
    return UNSEEN.sub("�", re.sub("\r\n?", "\n", text))


def printed(kind, text, attributes=NOT_SEARCHED):
    """Return a text that was printed, as Markdown and as HTML. HTML leaves out the first line end."""
    text = held(shown(text))
    html = escape(text.removesuffix("\n"), quote=False)
    first = "\n" if html.startswith("\n") else ""
    return fenced(kind, text), box(kind, f"<pre>{first}{html}</pre>", attributes)


def fenced(kind, text):
    """Return a fenced block, whose fence is longer than any in the text."""
    fence = max(["``", *re.findall("^ *(`{3,})", text, re.MULTILINE)], key=len) + "`"
    text = text.removesuffix("\n")
    return f"{fence}{kind}\n{text}\n{fence}"


def box(kind, content, attributes=NOT_SEARCHED + ' tabindex="0"'):
    """Return a labelled box. The keyboard reaches it if it may have to be scrolled: the lines of a printed text break."""
    names, label = ("cell-output", "Output") if kind == "output" else ("cell-output cell-output--error", "Error output")
    # A `section`, since Material's search ends the exclusion at the first end of an element of the same name.
    return f'<section class="{names}" role="group" aria-label="{label}"{attributes}>{content}</section>'


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


def put_in_cells(html, page, config, files):
    """Put in code and outputs, and offer the notebook to be downloaded."""
    if is_notebook(page.file):
        source = f'<a href="{page.file.name}.ipynb" download>Download this notebook</a> or run it'
        line = f'<p class="notebook-source" data-search-exclude="true">{source}</p>'
        if "exercises/" in page.file.src_uri and not page.file.name.endswith(".solution"):
            line += f'\n<p class="notebook-source" data-search-exclude="true">{UNCHANGED}</p>'
        html = html.replace("</h1>", f"</h1>\n{line}", 1)
        html, put = MARK.subn(lambda mark: page.parts[mark[0]][1] if mark[0] in page.parts else mark[0], html)
        if put != len(page.parts):
            log.warning("Notebook '%s' loses code: a text leaves a fence or an element open.", page.file.src_uri)
    return html
