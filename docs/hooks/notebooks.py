"""MkDocs hook that publishes `notebooks/**/*.ipynb` as pages that look native to Material.

mkdocs-jupyter converts a notebook to JupyterLab's markup and puts JupyterLab's style sheet, 575 KB, into each page.
This hook takes the cells out of that markup and writes them down as Material writes a Markdown page: its code blocks,
headings, admonitions and tables. The theme then does the rest: copy buttons, colours, light and dark, contents, search.

Links between notebooks and pages are written as in the project (`02-….ipynb`, `../docs/errors.md#anchor`). They are
turned into site links here, and a target or an anchor that does not exist fails `mkdocs build --strict`.
"""

import json
import logging
import os
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from bs4 import BeautifulSoup, Tag
from markdown.extensions.toc import nest_toc_tokens, slugify, unique
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File
from mkdocs.structure.toc import get_toc

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.notebooks")

CALLOUTS = {"note", "info", "tip", "success", "question", "warning", "danger", "example"}

# Source path → file on the site. Filled once a build, because looking through all files for each link does not scale.
sources = {}


def on_config(config):
    """Keep mkdocs-jupyter 0.27 from adding to every page a MathJax loader that asks another origin."""
    options = config.plugins["mkdocs-jupyter"].config
    if "mathjax_version" in options:
        options["mathjax_version"] = 2  # Stays within the notebook's own markup, which is dropped below.


@event_priority(100)  # Before mkdocs-jupyter, which makes pages of the notebooks it finds.
def on_files(files, config):
    """Mount the notebooks, which live outside `docs/`, under `notebooks/` of the site."""
    project = Path(config.config_file_path).parent
    for path in sorted((project / "notebooks").rglob("*.ipynb")):
        uri = path.relative_to(project).as_posix()
        if ".ipynb_checkpoints" not in uri:  # JupyterLab's own copies
            files.append(File(uri, str(project), config.site_dir, config.use_directory_urls))
    return files


def on_nav(nav, config, files):
    """Remember which source file became which file of the site."""
    sources.clear()
    sources.update({file.abs_src_path: file for file in files})


def on_env(env, config, files):
    """Leave out the white space that the theme's template statements stand in: some 5 KB a page."""
    env.trim_blocks = env.lstrip_blocks = True


def on_page_content(html, page, config, files):
    """Replace JupyterLab's markup by Material's, and tell MkDocs of the page's contents, anchors and links."""
    if not page.file.src_uri.endswith(".ipynb"):
        return lighter_code(html)
    warn_of_unexpected_errors(page)
    content = native_cells(html)
    for box in content.select("blockquote, div.admonition"):
        native_callout(box)
    headings = native_headings(content)
    if headings:
        page.title = headings[0]["name"]
    page.toc = get_toc(nest_toc_tokens(headings))
    # MkDocs compares these two after all pages are read, and warns of a link to an anchor that is not there.
    page.present_anchor_ids = {tag["id"] for tag in content.find_all(id=True)}
    page.links_to_anchors = resolve_links(content, page)
    add_download_link(content, page)
    return str(content)


def on_post_page(output, page, config):
    """Leave out the white space around the article, in which the theme's templates indent: a sixth of a page."""
    before, article, after = re.split(r"(<article.*</article>)", output, maxsplit=1, flags=re.DOTALL)
    return without_indents(before) + article + without_indents(after)


def without_indents(html):
    """Return the theme's own markup without line ends between tags, where they mean nothing, and around words."""
    html = re.sub(r"\s*\n\s*", "\n", html)
    return re.sub(r"(?<=>)\n|\n(?=<)", "", html).replace(' xmlns="http://www.w3.org/2000/svg"', "")


def warn_of_unexpected_errors(page):
    """A traceback is published only if its cell announces it with the tag `raises-exception`."""
    notebook = json.loads(Path(page.file.abs_src_path).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        failed = any(output["output_type"] == "error" for output in cell.get("outputs", []))
        if failed and "raises-exception" not in cell["metadata"].get("tags", []):
            log.warning("Notebook '%s' has an unexpected error in an output.", page.file.src_uri)


def native_cells(html):
    """Return the cells' text, code and outputs; tags, prompts, styles and scripts of JupyterLab stay behind."""
    notebook = BeautifulSoup(html, "html.parser").select_one(".jp-Notebook")
    content = BeautifulSoup("", "html.parser")
    for cell in notebook.find_all(class_="jp-Cell", recursive=False):
        if text := cell.select_one(".jp-RenderedMarkdown"):
            for pre in text.select("pre"):
                highlighted = "highlight" in pre.parent.get("class", [])
                (pre.parent if highlighted else pre).replace_with(native_code(pre))
            content.extend(list(text.contents))
        elif code := cell.select_one(".highlight-ipynb pre"):
            content.append(native_code(code))
            content.extend([native_output(output) for output in cell.select(".jp-OutputArea-output")])
    return content


def lighter_code(html):
    """Return a Markdown page with the code blocks of a notebook's: half the markup of a page with many samples."""
    content = BeautifulSoup(html, "html.parser")
    for pre in content.select("div.highlight > pre"):
        block = native_code(pre)
        pre.replace_with(block.pre)
    return str(content)


def native_code(pre):
    """Material's code block: its script finds `.highlight > pre > code`, and adds the copy button there."""
    # Names, punctuation, operators and the braces of f-strings read well in the colour of text, and are most of the markup.
    for span in pre.select("span.n, span.w, span.p, span.o, span.si, span.sa, span:empty"):
        span.unwrap()
    for span in pre.select("span"):  # a string comes in pieces
        while isinstance(span.next_sibling, Tag) and span.next_sibling.attrs == span.attrs:
            span.extend(list(span.next_sibling.extract().contents))
    code = element("code", list((pre.code or pre).contents))
    return element("div", [element("pre", [code])], {"class": "highlight"})


def native_output(output):
    """A labelled box that can be scrolled with the keyboard and that search leaves out."""
    is_error = output.get("data-mime-type") == "application/vnd.jupyter.stderr"
    for tag in output(["style", "script"]):
        tag.decompose()
    for span in output.select("pre span"):
        span.unwrap()  # Terminal colours are made for one background; they are not readable in light and dark.
    for table in output("table"):
        table.attrs.clear()  # Material styles the tables that have no class.
    attributes = {
        "class": "cell-output cell-output--error" if is_error else "cell-output",
        "role": "group",
        "aria-label": "Error output" if is_error else "Output",
        "tabindex": "0",
        "data-search-exclude": "true",
    }
    # A `section`, since Material's search ends the exclusion at the first end of an element of the same name.
    return element("section", list(output.contents), attributes)


def native_callout(box):
    """Make an admonition with a title of `> **Note:** …` and of `<div class="admonition warning">`."""
    if box.select_one(".admonition-title"):
        return
    start = next((child for child in (box.p or box).contents if str(child).strip()), None)
    word = start.get_text().strip(": ") if start and start.name == "strong" else ""
    if word.lower() in CALLOUTS:
        start.extract()
    elif box.name == "blockquote":
        return
    else:
        word = next((name for name in box["class"] if name in CALLOUTS), "note").title()
    box.name = "div"
    box["class"] = ["admonition", word.lower()]
    box.insert(0, element("p", [word], {"class": "admonition-title"}))


def native_headings(content):
    """Give headings the ids and permalinks that Markdown pages have; return them as entries of the contents."""
    headings = [tag for tag in content(re.compile("^h[1-6]$")) if not tag.find_parent(class_="cell-output")]
    for heading in headings:
        heading.attrs.pop("id", None)
        for anchor in heading.select(".anchor-link"):
            anchor.decompose()
    ids = {tag["id"] for tag in content.find_all(id=True)}
    entries = []
    for heading in headings:
        text = heading.get_text().strip()
        heading["id"] = unique(slugify(text, "-"), ids)
        entries.append({"level": int(heading.name[1]), "id": heading["id"], "name": escape(text, quote=False)})
        permalink = {"class": "headerlink", "href": f"#{heading['id']}", "title": "Permanent link"}
        heading.append(element("a", ["¶"], permalink))
    return entries


def resolve_links(content, page):
    """Turn paths of the project into links of the site; return the anchors they ask for, by file, for MkDocs to check."""
    anchors = {}
    folder = os.path.dirname(page.file.abs_src_path)
    for tag in content.select("a[href]:not(.headerlink), img[src]"):
        attribute = "href" if tag.name == "a" else "src"
        link = tag[attribute]
        scheme, host, path, query, fragment = urlsplit(link)
        if scheme or host:
            continue
        target = sources.get(os.path.normpath(os.path.join(folder, unquote(path)))) if path else page.file
        if target is None:
            log.warning("Notebook '%s' links to '%s', which is not on the site.", page.file.src_uri, link)
            continue
        if fragment and target.src_uri.endswith(".ipynb"):
            fragment = slugify(unquote(fragment), "-")  # JupyterLab writes #What-to-keep, the site #what-to-keep.
        if fragment:
            anchors.setdefault(target, {})[fragment] = link
        tag[attribute] = urlunsplit(("", "", target.url_relative_to(page.file) if path else "", query, fragment))
    return anchors


def add_download_link(content, page):
    """Offer the notebook itself; mkdocs-jupyter copies it beside the page (`include_source`)."""
    if content.h1:
        link = element("a", ["Download this notebook"], {"href": f"{page.file.name}.ipynb", "download": ""})
        line = [link, " or run it: ", element("code", ["make lab"])]
        content.h1.insert_after(element("p", line, {"class": "notebook-source", "data-search-exclude": "true"}))


def element(name, children, attributes=None):
    """Return a new HTML element that takes over the children."""
    tag = Tag(name=name, attrs=attributes or {})
    tag.extend(children)
    return tag
