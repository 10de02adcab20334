"""Add what a published site needs besides its pages.

Programs get each page as Markdown, where its source would be on the site; `publish/theme/llms.txt` lists them, and a page
names its own in its head. Programs also get the contract, `openapi.json` and `openapi.yaml`. Search engines and chats get
a description of each page, and what kind of page it is. People get the version, a link to edit a page, and a 404 page
that works at any depth.

Titles and order come from the nav, a description from a page's front matter, or else from its first paragraph and its tasks.
"""

import json
import logging
import re
import tomllib
from html import unescape
from pathlib import Path

import yaml
from markdown import Markdown
from mkdocs.structure.files import File
from mkdocs.utils import write_file

import mock_server
from mock_server.contract import openapi
from publish.lessons import read_course, read_lesson

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.publishing")

# The first line of a tab, an admonition or a block that folds; what is in it is indented by four.
OPENER = re.compile(r'^( *)(?:===|!!!|\?\?\?\+?)(?: (\w+))?(?: "(.*)")?$')
FENCE = re.compile(r"^ *(`{3,}|~{3,})")

# What a page is to schema.org, by the beginning of its source. The first that fits.
KINDS = {
    "index.md": "Course",
    "notebooks/": "LearningResource",
    ("how-to/", "reference/", "explanation/", "quickstart.md", "auth.md"): "TechArticle",
    "": "WebPage",
}
# What comes before the tasks in the description of exercises, and of solutions.
PRACTICE = "Practise, with a hint and a check for each task:"
SOLVED = "One right answer to each task, which passes its check:"


class Whole(yaml.SafeDumper):
    """Writes YAML without anchors, which many generators of clients can't read."""

    def ignore_aliases(self, data):
        """Write what is there twice, twice."""
        return True


def know_the_release(config):
    """Take the version from pyproject.toml, and edit links from the repository's address, if there is one."""
    project = Path(config.config_file_path).parent
    config.extra["release"] = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if config.repo_url:
        config.edit_uri = "edit/main/docs/"


def publish_contract(files, config):
    """Take the icon from Settings > API, and publish the contract in both forms that programs read."""
    icon = Path(mock_server.__file__).parent / "web" / "static" / "icon.svg"
    files.append(File.generated(config, "assets/icon.svg", abs_src_path=str(icon)))
    openapi.cache_clear()  # `mkdocs serve` shows a change of it
    as_json = json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"
    as_yaml = yaml.dump(openapi(), Dumper=Whole, sort_keys=False, allow_unicode=True, width=120)
    for name, text in {"openapi.json": as_json, "openapi.yaml": as_yaml}.items():
        files.append(File.generated(config, name, content=text))
    return files


def publish_markdown(markdown, page, config, files):
    """Publish the page's Markdown as well, in plain Markdown."""
    page.meta["markdown"] = re.sub(r"\.\w+$", ".md", page.file.src_uri)
    path = Path(config.site_dir, page.meta["markdown"])
    text = plain(markdown, config)
    if parts := getattr(page, "parts", None):  # what publish/notebooks.py keeps of a notebook
        text = re.sub("|".join(map(re.escape, parts)), lambda mark: parts[mark[0]][0], text)
    write_file(text.encode(), str(path))


def plain(markdown, config):
    """Return Markdown for any reader: files included, tabs and admonitions opened, links to pages of Markdown."""
    snippets = "pymdownx.snippets"
    reader = Markdown(extensions=[snippets], extension_configs={snippets: config.mdx_configs[snippets]})
    lines = reader.preprocessors["snippet"].run(markdown.split("\n"))
    text = "\n".join(opened(lines))
    text = re.sub(r"(?<=]\()([^):\s]+)\.ipynb(?=[#)])", r"\1.md", text)
    text = re.sub(r"(?m)^<details markdown>", "<details>", text)
    return re.sub(r"(?m)^</?div[^>]*>\n|(?<!\{)\{ ?[.:][^}\n]*\}| ?\{ #[\w-]+ \}", "", text)


def opened(lines):
    """Return the lines with the label of a tab or an admonition in bold, and what is in it no longer indented."""
    done, fence = [], ""
    while lines:
        line, *lines = lines
        if found := FENCE.match(line):
            while fence and not done[-1].strip():  # An included file ends in a line end of its own.
                done.pop()
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        opener = not fence and OPENER.match(line)
        if not opener:
            done.append(line)
            continue
        indent = len(opener[1]) + 4
        within = next((at for at, text in enumerate(lines) if text.strip() and not text.startswith(" " * indent)), len(lines))
        body = [text[: len(opener[1])] + text[indent:] for text in lines[:within]]
        label = opener[3] or opener[2].title()
        done += [f"{opener[1]}**{label}**", *opened(body)]
        lines = lines[within:]
    return done


def describe(html, page, config, files):
    """Describe the page by its first paragraph, unless its front matter does; exercises by their tasks."""
    if "description" not in page.meta:
        paragraph = re.search(r"<p>(.*?)</p>", html, re.DOTALL)
        if not paragraph:
            log.warning("Page '%s' lacks a paragraph, which describes the page to search engines.", page.file.src_uri)
            return None
        text = " ".join(unescape(re.sub(r"<[^>]+>", "", paragraph[1])).split())
        described = first_sentences(text.replace("What you'll do: ", "You'll "))
        if "exercises/" in page.file.src_uri:
            tasks = [f"{unescape(one.title)}." for top in page.toc for one in top.children if one.title[0].isdigit()]
            described = " ".join([SOLVED if ".solution" in page.file.src_uri else PRACTICE, *tasks]) if tasks else described
        page.meta["description"] = described
    return html + proved(html.count('class="cell-output'), page, config, files)


def proved(outputs, page, config, files):
    """Return the line that says how many outputs of a page the tests compare: all of them."""
    if not outputs:
        return ""
    how = files.get_file_from_path("explanation/how-the-proof-works.md")
    many = "1 output" if outputs == 1 else f"{outputs} outputs"
    line = f"{many} compared, version {config.extra['release']}"
    if how:
        line += f': <a href="{how.url_relative_to(page.file)}">how it is proved</a>'
    return f'\n<p class="proved" data-search-exclude="true">{line}</p>'


def say_what_it_is(context, page, config, nav):
    """Say in the words of schema.org what the page is."""
    page.meta["schema"] = json.dumps(described_by_schema(page, config), ensure_ascii=False).replace("<", "\\u003c")
    return context


def described_by_schema(page, config):
    """Return what the page is as JSON-LD. It says what page and notebooks say, and has an address only with SITE_URL."""
    source, notebooks = page.file.src_uri, Path(config.config_file_path).parent / "notebooks"
    kind = next(kind for begin, kind in KINDS.items() if source.startswith(begin))
    course = {"@type": "Course", "name": config.site_name, **({"url": config.site_url} if config.site_url else {})}
    found = {
        "@context": "https://schema.org",
        "@type": kind,
        "headline" if kind == "TechArticle" else "name": unescape(re.sub(r"<[^>]+>", "", page.title)),
        "description": page.meta.get("description", ""),
        "inLanguage": config.theme.locale.language,
        "version": config.extra["release"],
    }
    if page.canonical_url:
        found["url"] = page.canonical_url
    if kind == "Course":
        parts = []
        for number, lesson in enumerate(read_course(notebooks), 1):
            part = {"@type": "LearningResource", "name": lesson.title, "timeRequired": f"PT{lesson.minutes}M", "position": number}
            address = f"{config.site_url}notebooks/{Path(lesson.file).stem}/"
            parts.append({**part, "url": address} if config.site_url else part)
        found |= {"name": config.site_name, "hasPart": parts}
    elif kind == "LearningResource":
        lesson = read_lesson(Path(page.file.abs_src_path))
        is_exercise = "exercises/" in source
        found["learningResourceType"] = "solution" if ".solution" in source else "exercise" if is_exercise else "lesson"
        found |= {"timeRequired": f"PT{lesson.minutes}M"} if lesson.minutes else {}
        found["isPartOf"] = course
    return found


def first_sentences(text, most=160):
    """Return as many sentences as a search engine shows, at least one."""
    sentences = re.split(r"(?<=[.?!]) ", re.sub(":$", ".", text))
    while len(sentences) > 1 and len(" ".join(sentences)) > most:
        sentences.pop()
    return " ".join(sentences)


def lead_home_from_404(context, template_name, config):
    """Make the links of the 404 page for the top folder, which its template has to find if SITE_URL doesn't say it."""
    if template_name == "404.html":
        context["top"] = config.site_url and context["base_url"]
        context["base_url"] = "."
    return context
