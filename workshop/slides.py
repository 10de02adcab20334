"""Slides from the notebooks: one HTML file for each lesson, which needs no other file and no network.

``python -m workshop.slides FOLDER`` writes them. A rule, and not a person, says what is on a slide:

- Each ``##`` heading begins a slide. Each further code cell under it begins another one of the same heading.
- Code and its output are on the slide; the output gets its own slide if both together would be too small to read.
- Where a heading has no code, its lists, tables and code blocks are on the slide.
- Each question has a slide of its own, with its options. The answers are in its notes.
- All prose is in the speaker notes: press S.

reveal.js comes from npm, at the version and with the checksum of ``package-lock.json``, the first time.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from markdown import markdown
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1280, 720
TEXT_WIDTH, TEXT_HEIGHT = 1128, 550  # what is left for code below a heading of one line
LARGEST, READABLE, SMALLEST = 26, 18, 12  # pixels

STYLE = """
.reveal { background: #fff; color: #1b1b1f; font: 26px/1.4 system-ui, sans-serif; }
.reveal .slides { text-align: left; }
.reveal .slides section { box-sizing: border-box; height: 720px; padding: 36px 60px; }
.reveal h1 { font-size: 68px; line-height: 1.15; margin: 170px 0 24px; }
.reveal h2 { color: #303f9f; font-size: 40px; line-height: 1.2; margin: 0 0 22px; }
.reveal h1 code, .reveal h2 code { background: none; padding: 0; }
.reveal pre { background: #f5f5f5; border-radius: 6px; line-height: 1.3; margin: 0 0 10px; padding: 12px 16px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.reveal code, .reveal pre { font-family: ui-monospace, Consolas, Menlo, "DejaVu Sans Mono", monospace; }
.reveal :not(pre) > code { background: #f0f0f3; border-radius: 4px; padding: 0 6px; font-size: 0.9em; }
.reveal pre.output { background: #fff; border-left: 6px solid #c5cae9; border-radius: 0; }
.reveal li { margin: 6px 0 6px 4px; }
.reveal table { border-collapse: collapse; margin: 0 0 18px; width: 100%; }
.reveal th, .reveal td { border-bottom: 1px solid #d5d5da; padding: 8px 12px 8px 0; text-align: left; vertical-align: top; }
.reveal .slide-number { background: none; color: #5f6368; left: 8px; right: auto; }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script>{reveal}</script>
<script>{notes}</script>
<script>
Reveal.initialize({{width: {width}, height: {height}, margin: 0, center: false, hash: true, slideNumber: "c/t",
  transition: "none", plugins: [RevealNotes]}});
</script>
</body>
</html>
"""


@dataclass
class Slide:
    """A heading, the content below it, and what the speaker says. All are HTML."""

    heading: str
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    has_code: bool = False
    introduced_by: int = 0  # so many of the notes come before the code

    def html(self) -> str:
        """Return the slide as reveal.js reads it."""
        return f'<section>\n{self.heading}\n{"".join(self.body)}\n<aside class="notes">{"".join(self.notes)}</aside>\n</section>'


def slides_of(notebook: dict) -> list[Slide]:
    """Return the slides of a notebook."""
    slides: list[Slide] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            printed = "".join("".join(output.get("text", "")) for output in cell["outputs"]).rstrip()
            add_code(slides, source, printed)
        else:
            add_prose(slides, source)
    slides[0].body = [f"<p>{notebook['metadata']['linked_is']['minutes']} minutes</p>"]
    return [part for slide in slides for part in parts_that_fit(slide)]


def add_code(slides: list[Slide], source: str, printed: str) -> None:
    """Put a cell on the slide at hand, or on a new one if there is code already."""
    before = slides[-1]
    if before.has_code or before.heading.startswith("<h1"):
        slides.append(Slide(before.heading.replace("h1>", "h2>")))
        if len(before.notes) > before.introduced_by and before.has_code:
            slides[-1].notes.append(before.notes.pop())  # what was said last announces this code
    size = fitting_size(source, printed)
    apart = bool(printed) and size < READABLE
    if apart:
        size = fitting_size(source)
    slides[-1].body = [code_block(source, size), *([output_block(printed, size)] if printed and not apart else [])]
    slides[-1].has_code = True
    slides[-1].introduced_by = len(slides[-1].notes)
    if apart:
        slides.append(Slide(slides[-1].heading, [output_block(printed, fitting_size(printed))], has_code=True))


def add_prose(slides: list[Slide], source: str) -> None:
    """Put the prose of a cell into the notes, and begin a slide at each heading."""
    for part in re.split(r"(?m)^(?=##? )", source):
        heading, _, text = part.partition("\n") if part.startswith("#") else ("", "", part)
        if heading:
            level = heading.index(" ")
            slides.append(Slide(f"<h{level}>{inline(heading[level:].strip())}</h{level}>"))
        for block in rendered(text).find_all(True, recursive=False):
            if is_question(block) and slides[-1].body:
                slides.append(Slide(slides[-1].heading))
            slides[-1].notes.append(str(block))
            if is_question(block.find_previous_sibling()):
                slides[-1].body[-1] += str(block)  # its options
            elif is_question(block) or (block.name in ("ol", "ul", "table", "pre") and not slides[-1].has_code):
                slides[-1].body.append(str(block))


def is_question(block: Tag | None) -> bool:
    """Tell whether a block of a text is a question, which the site asks: docs/hooks/questions.py says how it is written."""
    return block is not None and re.fullmatch(r"<p><strong>.*\?</strong></p>", str(block)) is not None


def rendered(text: str) -> BeautifulSoup:
    """Return Markdown as HTML. A link or a picture of the project is nowhere beside a slide: its text stays."""
    text = text.replace("<details>", "<details open markdown>")
    html = BeautifulSoup(markdown(text, extensions=["tables", "fenced_code", "md_in_html"]), "html.parser")
    for link in html.select("a:not([href^=http])"):
        link.unwrap()
    for picture in html("img"):
        picture.replace_with(picture["alt"])
    return html


def inline(text: str) -> str:
    """Return a line of Markdown as HTML, without the paragraph around it."""
    return markdown(text).removeprefix("<p>").removesuffix("</p>")


def code_block(source: str, size: int) -> str:
    """Return a cell's code in colour."""
    code = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True, noclasses=True, style="xcode"))
    return f'<pre style="font-size: {size}px"><code>{code.rstrip()}</code></pre>'


def output_block(printed: str, size: int) -> str:
    """Return what a cell printed."""
    return f'<pre class="output" style="font-size: {size}px">{escape(printed)}</pre>'


def fitting_size(*texts: str) -> int:
    """Return the largest size in pixels in which the texts fit below each other. Long lines are wrapped."""
    for size in range(LARGEST, SMALLEST, -1):
        columns = int(TEXT_WIDTH / (size * 0.62))
        lines = sum(-(-max(len(line), 1) // columns) for text in texts if text for line in text.splitlines())
        if lines * size * 1.3 + 34 * len(texts) <= TEXT_HEIGHT:
            return size
    return SMALLEST


def parts_that_fit(slide: Slide) -> list[Slide]:
    """Return a slide, or several where it shows more than one table or list."""
    if slide.has_code or len(slide.body) < 2:
        return [slide]
    rest = [Slide(slide.heading, [one], ["<p>Go on from the slide before.</p>"]) for one in slide.body[1:]]
    return [Slide(slide.heading, slide.body[:1], slide.notes), *rest]


def page(notebook: dict) -> str:
    """Return the slides of a notebook as one HTML file."""
    slides = slides_of(notebook)
    return PAGE.format(
        title=BeautifulSoup(slides[0].heading, "html.parser").get_text(),
        style=from_npm("reveal.js/dist/reveal.css") + STYLE,
        slides="\n".join(slide.html() for slide in slides),
        reveal=from_npm("reveal.js/dist/reveal.js"),
        notes=from_npm("reveal.js/dist/plugin/notes.js"),
        width=WIDTH,
        height=HEIGHT,
    )


def from_npm(name: str) -> str:
    """Return a file of a package, from npm if need be. Raises SystemExit with the next step."""
    path = FOLDER / "node_modules" / name
    if not path.exists():
        npm = shutil.which("npm")
        if npm is None:
            package = name.partition("/")[0]
            raise SystemExit(f"This needs {package} from npm, and npm is not installed. Install Node.js, then try again.")
        subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL
        )
    return path.read_text(encoding="utf-8")


def write(folder: Path) -> list[Path]:
    """Write the slides of every notebook into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        written.append(folder / f"{path.stem}.html")
        written[-1].write_text(page(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    return written


if __name__ == "__main__":
    for file in write(Path(*sys.argv[1:2] or ["dist/slides"])):
        print(file)
