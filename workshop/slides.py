"""Slides from the notebooks: one HTML file for each lesson, which needs no other file and no network.

``python -m workshop.slides [FOLDER] [--pdf]`` writes them, also as PDF; with ``--run``, for a site whose Python they use. A rule, and not a person, says what is on a slide:

- Each ``##`` heading begins a slide. Each further code cell under it begins another one of the same heading.
- A cell that an earlier lesson has too is left out.
- Code is on the slide, its output below it after the next key, so that learners can guess first. What can't be read from
  the last row then, gets a slide of its own, or several.
- A picture has a slide of its own. Where a heading has no code, its lists, tables and code blocks are on the slide.
- Each question has a slide of its own, with its options. The answers are in its notes.
- The last slide lists the exercises, with their minutes.
- All prose is in the speaker notes, with the minute at which each heading should begin: press S.
- On a site that runs Python, a slide with code has a button Run, which R presses too. What stands before it runs first,
  cells that are left out too, and the reader's own output takes the place of the one below the code.

reveal.js comes from npm, at the version and with the checksum of ``package-lock.json``, the first time.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import shutil
import subprocess
from collections.abc import Container
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
LARGEST, SMALLEST = 28, 24  # pixels: smaller letters can't be read from the last row
ASK = "<p><strong>Ask:</strong> What will it print? Wait for guesses, then press the key.</p>"
PICTURE = re.compile(r'!\[(?P<text>[^]]*)\]\((?P<path>[^)]+)\)|<img alt="(?P<alt>[^"]*)" src="(?P<src>[^"]*)"')
KINDS = {".svg": "image/svg+xml", ".png": "image/png"}

STYLE = """
.reveal { background: #fff; color: #17211f; font: 26px/1.4 system-ui, sans-serif; }
.reveal .slides { text-align: left; }
.reveal .slides section { box-sizing: border-box; height: 720px; padding: 36px 60px; }
html.reveal-print .reveal .slides .pdf-page > section { padding: 36px 60px !important; }
.reveal h1 { font-size: 68px; line-height: 1.15; margin: 170px 0 24px; }
.reveal h2 { color: #0f766e; font-size: 40px; line-height: 1.2; margin: 0 0 22px; }
.reveal h1 code, .reveal h2 code { background: none; padding: 0; }
.reveal pre { background: #f4f6f6; border-radius: 6px; line-height: 1.3; margin: 0 0 10px; padding: 12px 16px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.reveal code, .reveal pre { font-family: ui-monospace, Consolas, Menlo, "DejaVu Sans Mono", monospace; }
.reveal :not(pre) > code { background: #f4f6f6; border-radius: 4px; padding: 0 6px; font-size: 24px; }
.reveal pre.output { background: #fff; border-left: 6px solid #0f766e; border-radius: 0; }
.reveal li { margin: 6px 0 6px 4px; }
.reveal table { border-collapse: collapse; margin: 0 0 18px; width: 100%; }
.reveal th, .reveal td { border-bottom: 1px solid #d5d5da; padding: 8px 12px 8px 0; text-align: left; vertical-align: top; }
.reveal img { color-scheme: light; display: block; margin: 0 auto; max-height: 520px; max-width: 100%; min-height: 300px; }
.reveal .run-bar { align-items: baseline; bottom: 4px; color: #5f6368; display: flex; flex-direction: row-reverse; font-size: 24px;
  gap: 16px; left: 140px; position: absolute; right: 130px; }
.reveal .run-bar::after { content: attr(data-loaded); }
.reveal .run-bar button { background: #0f766e; border: 0; border-radius: 6px; color: #fff; font: inherit; padding: 0 20px; }
.reveal .run-bar button ~ button { display: none; }
.reveal .cell-output--mine { border-left: 6px solid #0f766e; max-height: 550px; overflow: auto; }
.reveal .cell-output--mine pre { background: none; font-size: 24px; margin: 0; }
.reveal .cell-output--error { border-color: #b91c1c; }
.reveal .slide-number { font-size: 24px; background: none; color: #5f6368; left: 8px; right: auto; }
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
{run}
</body>
</html>
"""
# Reveal's keys must find no button that has the focus: a key would press it, and turn the page. An output that a run has
# replaced is no step of its own.
RUN = """<script src="../run/run.js" data-notebook="other"></script>
<script>
document.addEventListener("click", ({target}) => target.closest(".run-bar button")?.blur());
Reveal.configure({keyboard: {82: () => document.querySelector("section.present > .run-bar button")?.click()}});
Reveal.on("fragmentshown", ({fragment}) => fragment.hidden && Reveal.next());
</script>"""
BAR = """<div class="run-bar"><button type="button" aria-label="Run the code">Run</button><button type="button">Edit</button>\
<span role="status"></span></div>"""


@dataclass
class Slide:
    """A heading, the content below it, and what the speaker says. All are HTML.

    ``left_out`` are cells that run before the ``cell`` of this slide. The button Run stands behind so many parts of the body.
    """

    heading: str
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    has_code: bool = False
    introduced_by: int = 0  # so many of the notes come before the code
    left_out: list[str] = field(default_factory=list)
    cell: str = ""
    behind: int = 0

    def html(self, runs: bool = False) -> str:
        """Return the slide as reveal.js reads it, with a button if its code ``runs``."""
        body = list(self.body)
        if runs and self.cell:
            cells = [f"<div hidden>{unseen(cell)}{BAR}</div>" for cell in self.left_out]
            body[self.behind : self.behind] = [*cells, unseen(self.cell), BAR]
        return f'<section>\n{self.heading}\n{"".join(body)}\n<aside class="notes">{"".join(self.notes)}</aside>\n</section>'


def slides_of(notebook: dict, exercises: dict | None = None, known: Container[str] = ()) -> list[Slide]:
    """Return the slides of a notebook. ``known`` are the code cells that learners have seen in an earlier one."""
    slides: list[Slide] = []
    left_out: list[str] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            add_prose(slides, source)
        elif source not in known:
            printed = "".join("".join(output.get("text", "")) for output in cell["outputs"]).rstrip()
            add_code(slides, source, printed, left_out)
            left_out = []
        else:
            left_out.append(source)
    minutes = notebook["metadata"]["linked_is"]["minutes"]
    slides[0].body = [f"<p>{minutes} minutes</p>"]
    slides = [part for slide in slides for part in parts_that_fit(slide)]
    say_when(slides, minutes)
    return [*slides, exercise_slide(exercises)] if exercises else slides


def say_when(slides: list[Slide], minutes: int) -> None:
    """Put into the notes at which minute each heading should begin: each is to take as long as the others."""
    headings = list(dict.fromkeys(slide.heading for slide in slides[1:]))
    for number, heading in enumerate(headings):
        first = next(slide for slide in slides[1:] if slide.heading == heading)
        first.notes.insert(0, f"<p><strong>Minute {round(minutes * number / len(headings))} of {minutes}.</strong></p>")


def exercise_slide(exercises: dict) -> Slide:
    """Return the slide that gives the exercises of a lesson."""
    text = "\n".join("".join(cell["source"]) for cell in exercises["cells"] if cell["cell_type"] == "markdown")
    tasks = "".join(f"<li>{inline(task)}</li>" for task in re.findall(r"(?m)^## \d+\. (.+)", text))
    body = [f"<p>{exercises['metadata']['linked_is']['minutes']} minutes, two at one screen</p>", f"<ol>{tasks}</ol>"]
    return Slide("<h2>Exercises</h2>", body, ["<p>Look at the board. Walk to who is stuck: ask, and don't type for them.</p>"])


def add_code(slides: list[Slide], source: str, printed: str, left_out: list[str]) -> None:
    """Put a cell on the slide at hand, or on a new one if there is code already. What doesn't fit goes on the next ones.

    It runs on the slide with the beginning of its output, or else with its end, after the cells that are ``left_out``.
    """
    before = slides[-1]
    if before.has_code or before.heading.startswith("<h1"):
        slides.append(Slide(before.heading.replace("h1>", "h2>")))
        if len(before.notes) > before.introduced_by and before.has_code:
            slides[-1].notes.append(before.notes.pop())  # what was said last announces this code
    slide = slides[-1]
    slide.has_code = True
    slide.introduced_by = len(slide.notes)
    slide.notes += [ASK] if printed else []
    if printed and (size := fitting_size(source, printed)):
        slide.body = [code_block(source, size), output_block(printed, size, " fragment")]
        slide.left_out, slide.cell, slide.behind = left_out, source, 1
        return
    codes = [code_block(part, fitting_size(part)) for part in that_fit(source)]
    outputs = [output_block(part, fitting_size(part)) for part in that_fit(printed)]
    slide.body = codes[:1]
    more = [Slide(slide.heading, [block], has_code=True) for block in [*codes[1:], *outputs]]
    slides += more
    slide = [slide, *more][len(codes) - (not outputs)]
    slide.left_out, slide.cell, slide.behind = left_out, source, int(not outputs)


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
        for picture in PICTURE.finditer(text):
            path = picture["path"] or picture["src"]
            if slides[-1].body or slides[-1].heading.startswith("<h1"):
                slides.append(Slide(slides[-1].heading))
            slides[-1].body, slides[-1].has_code = [shown(path, picture["text"] or picture["alt"])], True


def shown(path: str, text: str) -> str:
    """Return a picture of the project as a part of the page. ``path`` is as a lesson names it."""
    file = ROOT / "notebooks" / path
    content = base64.b64encode(file.read_bytes()).decode()
    return f'<img alt="{escape(text)}" src="data:{KINDS[file.suffix]};base64,{content}">'


def is_question(block: Tag | None) -> bool:
    """Tell whether a block of a text is a question, which the site asks: publish/questions.py says how it is written."""
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


def unseen(source: str) -> str:
    """Return a cell for the script that runs it: what is seen of it may be a part only."""
    return f"<pre hidden><code>{escape(source)}</code></pre>"


def code_block(source: str, size: int) -> str:
    """Return a cell's code in colour."""
    code = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True, noclasses=True, style="xcode"))
    return f'<pre style="font-size: {size}px"><code>{code.rstrip()}</code></pre>'


def output_block(printed: str, size: int, more: str = "") -> str:
    """Return what a cell printed."""
    return f'<pre class="output cell-output{more}" style="font-size: {size}px">{escape(printed)}</pre>'


def fitting_size(*texts: str) -> int:
    """Return the largest size in pixels in which the texts fit below each other, or 0. Long lines are wrapped."""
    for size in range(LARGEST, SMALLEST - 1, -1):
        columns = int(TEXT_WIDTH / (size * 0.62))
        lines = sum(-(-max(len(line), 1) // columns) for text in texts for line in text.splitlines())
        if lines * size * 1.3 + 34 * len(texts) <= TEXT_HEIGHT:
            return size
    return 0


def that_fit(text: str) -> list[str]:
    """Return a text in parts that fit on a slide each, broken between lines, best at an empty one."""
    parts, lines = [], text.splitlines()
    while lines:
        count = len(lines)
        while count > 1 and not fitting_size("\n".join(lines[:count])):
            count -= 1
        if count < len(lines):
            count = next((at for at in range(count, count // 2, -1) if not lines[at].strip()), count)
        parts.append("\n".join(lines[:count]).strip("\n"))
        lines = lines[count:]
    return parts


def parts_that_fit(slide: Slide) -> list[Slide]:
    """Return a slide, or several where it shows more than one table or list."""
    if slide.has_code or len(slide.body) < 2:
        return [slide]
    rest = [Slide(slide.heading, [one], ["<p>Go on from the slide before.</p>"]) for one in slide.body[1:]]
    return [Slide(slide.heading, slide.body[:1], slide.notes), *rest]


def page(slides: list[Slide], runs: bool = False) -> str:
    """Return slides as one HTML file, whose code ``runs`` if the site's folder ``run`` is beside that of the file."""
    return PAGE.format(
        title=BeautifulSoup(slides[0].heading, "html.parser").get_text(),
        style=from_npm("reveal.js/dist/reveal.css") + STYLE,
        slides="\n".join(slide.html(runs) for slide in slides),
        run=RUN if runs else "",
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


def write(folder: Path, runs: bool = False) -> list[Path]:
    """Write the slides of every notebook into a folder; return the files. ``runs`` is for one on a site with Python."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    known: set[str] = set()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook, exercises = read(path), path.parent / "exercises" / path.name
        slides = slides_of(notebook, read(exercises) if exercises.exists() else None, known)
        known |= {"".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"}
        written.append(folder / f"{path.stem}.html")
        written[-1].write_text(page(slides, runs), encoding="utf-8")
    return written


def read(path: Path) -> dict:
    """Return a notebook."""
    return json.loads(path.read_text(encoding="utf-8"))


def print_to_pdf(files: list[Path]) -> list[Path]:
    """Write each file of slides as a PDF beside it; return the PDFs. Raises SystemExit with the next step."""
    try:  # what the tests need is not everywhere
        from playwright.sync_api import sync_playwright

        from tools.debian import CHROMIUMS, find

        program = find(*CHROMIUMS)
    except ImportError:
        program = None
    if program is None:
        raise SystemExit("PDF needs Chromium and what the tests need. Install Chromium, type `make .venv/tests`, then try again.")
    written = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for file in files:
            tab = browser.new_page()
            tab.goto(f"{file.resolve().as_uri()}?print-pdf")
            tab.locator(".pdf-page").last.wait_for()
            written.append(file.with_suffix(".pdf"))
            tab.pdf(path=written[-1], prefer_css_page_size=True, print_background=True)
            tab.close()
        browser.close()
    return written


def main() -> None:
    """Write all slides, and print the names of the files."""
    parser = argparse.ArgumentParser(prog="python -m workshop.slides", description="Write the slides of every lesson.")
    parser.add_argument("folder", nargs="?", default="dist/slides", type=Path, help="where to (default: dist/slides)")
    parser.add_argument("--pdf", action="store_true", help="write each as a PDF too; needs Chromium, and what the tests need")
    parser.add_argument("--run", action="store_true", help="for a site that runs Python: its slides do too")
    options = parser.parse_args()
    files = write(options.folder, options.run)
    for file in [*files, *(print_to_pdf(files) if options.pdf else [])]:
        print(file)


if __name__ == "__main__":
    main()
