"""What a contributor's notebook may hold, on its page: any text in code and outputs, any kind of output, any picture.

Each page passes every step, as in a build. `test_site.py` has the pages of the kit's own notebooks.
"""

import json
import logging
import re
import shutil
from types import SimpleNamespace
from urllib.parse import quote

import hypothesis.configuration
import hypothesis.strategies as st
import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from mkdocs.commands.build import _populate_page
from mkdocs.config import load_config
from mkdocs.structure.files import Files, get_files
from mkdocs.structure.pages import Page

from tools.static_site import without_tab

TITLE = {"cell_type": "markdown", "metadata": {}, "source": "# Title\n\nA paragraph."}
# What something on the way from a notebook to its page might take for its own.
PIECES = (
    *(
        "```",
        "````python",
        "~~~",
        '--8<-- "CHANGELOG.md"',
        ';--8<-- "CHANGELOG.md"',
        "--8<--\nCHANGELOG.md\n--8<--",
        "-->",
        "<!--",
    ),
    *("<b>", "</pre></div>", "</code>", "</section>", "</details>", "<summary>Solution</summary>", "<script>", "&amp;", "&#10;"),
    *("[a](../docs/b.md#C)", "![p](attachment:p.png)", "<details>", '=== "Tab"', "!!! note", "{ .a }", "{: #b }", "<div>\n"),
    *(
        "# Exercises",
        "---\n",
        "key: value",
        "<!-- part 0 of notebooks/any.ipynb -->",
        "<!-- part 99 of notebooks/any.ipynb -->",
        "or run it</p>",
        "<th></th>",
        "</h1>",
    ),
    *("<!-- live: docs/live/x.py words -->", "*The table of plans is on the site. In a clone, `make serve` shows it.*"),
    *("\t", "    ", "\n\n\n", " \n", "\x02wzxhzdk:0\x03", "\x02amp\x03", "$x$", "\ufeff", "\u2028", "\x85", "é", "e\u0301", "🎉"),
    *("%%bash", "!ls", "'''", '"""', "#", "\\", "\\n", "{{ x }}", "{% raw %}", "\r", "\r\n", "\0", "\x0c", "\x1b[31m", "\ud800"),
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=6).flatmap(
    lambda parts: st.sampled_from(["", " ", "\n", "\n\n", "\n    "]).map(lambda between: between.join(parts))
)
CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    """Return a function that makes the page of a notebook with these cells, as a build does."""
    project = without_tab(tmp_path_factory.mktemp("project"))
    shutil.rmtree(project / "notebooks")
    (project / "notebooks").mkdir()
    config = load_config(str(project / "mkdocs.yml"), site_dir=str(project / "site"))
    config = config.plugins.on_config(config)
    pages, said = [*get_files(config)], []
    logger, handler = logging.getLogger("mkdocs"), logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    logger.addHandler(handler)

    def page_of(*cells, title=TITLE):
        said.clear()
        path = project / "notebooks" / "any.ipynb"
        metadata = {"linked_is": {"minutes": 5}}
        path.write_text(json.dumps({"cells": [title, *cells], "metadata": metadata, "nbformat": 4}), encoding="utf-8")
        files = Files([*config.plugins.on_files(Files([]), config=config), *pages])
        page = Page(None, files.get_file_from_path("notebooks/any.ipynb"), config)
        _populate_page(page, config, files)
        page.validate_anchor_links(files=files, log_level=logging.WARNING)
        markdown = (project / "site" / "notebooks" / "any.md").read_text(encoding="utf-8")
        warnings = [warning for warning in said if "lacks a goal" not in warning]
        return SimpleNamespace(html=BeautifulSoup(page.content, "html.parser"), markdown=markdown, warnings=warnings, page=page)

    yield page_of
    logger.removeHandler(handler)


def text_cell(source, **more):
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def code_cell(source="", *outputs, tags=()):
    return {"cell_type": "code", "metadata": {"tags": [*tags]}, "source": source, "outputs": [*outputs], "execution_count": 1}


def printed(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def displayed(**data):
    return {"output_type": "display_data", "metadata": {}, "data": {kind.replace("_", "/"): text for kind, text in data.items()}}


def text_of(pre):
    """Return the text of a `<pre>` as a browser reads it: without a line end that comes first."""
    text = pre.get_text()
    return text[1:] if text.startswith("\n") and isinstance(pre.contents[0], str) else text


def assert_texts_stay(page_of, codes, outputs):
    """Compare code and outputs of a page, and of its Markdown, with those of the cells. Nobody sees the last line end."""
    cells = [code_cell(code, printed(output), displayed(text_plain=output)) for code, output in zip(codes, outputs, strict=True)]
    made = page_of(*cells)
    # A line ends in one way, and what HTML can't hold, or nobody can see, is shown as �.
    codes = [CONTROLS.sub("�", re.sub("\r\n?", "\n", code)).removesuffix("\n") for code in codes]
    outputs = [output.removesuffix("\n") for output in outputs]
    boxes = made.html.select(".cell-output > pre")
    assert [code.get_text().removesuffix("\n") for code in made.html.select("div.highlight > pre > code")] == codes
    assert [text_of(pre) for pre in boxes] == [output for output in outputs for _ in range(2)]
    fences = [token for token in MarkdownIt("commonmark").parse(made.markdown) if token.type == "fence"]
    assert [token.content.removesuffix("\n") for token in fences if token.info == "python"] == codes
    assert [token.content.removesuffix("\n") for token in fences if token.info == "output"] == [
        output for output in outputs for _ in range(2)
    ]
    assert made.warnings == []


CELLS = st.lists(st.tuples(TEXTS, TEXTS.map(lambda text: CONTROLS.sub("", text))), min_size=1, max_size=3)


def hold_generated_notebooks(page_of, tmp_path, examples):
    hypothesis.configuration.set_hypothesis_home_dir(tmp_path)

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(CELLS)
    def hold(cells):
        codes, outputs = zip(*cells, strict=True)
        assert_texts_stay(page_of, codes, outputs)

    hold()


def test_code_and_outputs_are_on_the_page_as_they_are_in_the_cell(page_of, tmp_path):
    assert_texts_stay(page_of, PIECES, [CONTROLS.sub("", piece) for piece in PIECES])
    hold_generated_notebooks(page_of, tmp_path, 10)


@pytest.mark.long
def test_code_and_outputs_are_on_the_page_whatever_the_notebook(page_of, tmp_path):
    hold_generated_notebooks(page_of, tmp_path, 100)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (" 0%|    |\r 50%|##  |\r100%|####|\n", "100%|####|"),
        ("long line\rlone", "lone line"),
        ("Loading…\r\x1b[KDone", "Done"),
        ("a\r\nb\r\n", "a\nb"),
        ("12\b\b3", "32"),
        ("\x1b]8;;https://example.com\x1b\\a link\x1b]8;;\x1b\\ and\x1b]8;;x\x07 another\x1b]8;;\x07", "a link and another"),
        ("\x1b[1;38;5;208mcolours\x1b[0m", "colours"),
        ("one: 0\ntwo: 0\n\x1b[2A\rone: 1\x1b[K\n\x1b[Btwo: done\n", "one: 1\ntwo: 0\ntwo: done"),
        ("one\ntwo\n\x1b[1A\x1b[2K\x1b[1A\x1b[2Kthree", "three\n"),
        ("\x1b[?25lhidden cursor\x1b[?25h", "hidden cursor"),
        ("before\x1b[2J\x1b[Hafter", "after"),
        ("a\x1b[3Cb", "a   b"),
        ("abc\x1b[2D\x1b[1Kd", " dc"),
        ("abc\x1b[Jd", "abcd"),
        ("a\x07\0\x1b(B\x0eb\x9b", "ab"),
        ("\x1b[99999999999999999999Cfar", None),
        ("\tend\n", "\tend"),
        ("\n\n  first lines are empty", "\n\n  first lines are empty"),
        ("\x1b[", ""),
    ],
)
def test_the_page_shows_what_a_terminal_shows_in_the_end(page_of, written, seen):
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": [written]}
    made = page_of(code_cell("", printed(written), displayed(text_plain=written), error, tags=["raises-exception"]))
    for pre in made.html.select(".cell-output > pre"):
        assert text_of(pre) == seen or (seen is None and len(text_of(pre)) < 20_000)
    assert not CONTROLS.search(made.markdown) and made.warnings == []


def test_a_text_that_was_printed_in_pieces_is_one(page_of):
    pieces = [printed("10%"), printed("\r50%"), printed("\r100%\n"), printed("careful\n", "stderr"), printed("end")]
    made = page_of(code_cell("", *pieces))
    assert [text_of(pre) for pre in made.html.select(".cell-output > pre")] == ["100%", "careful", "end"]


PIXEL = "iVBORw0K\nGgo=\n"


def test_outputs_of_every_kind_are_shown(page_of):
    table = "<style>td {color: red}</style>\n\n<table class='dataframe'>\n\n<tr><td>1</td></tr></table><script>alert()</script>"
    plain = "<IPython.core.display.Something object>"
    shown = {
        "table": displayed(text_html=table, text_plain="1"),
        "drawing": displayed(**{"image_svg+xml": "<svg>\n\n<path d='M0'/></svg>"}, text_plain=plain),
        "picture": displayed(image_png=PIXEL, text_plain="<a clock>"),
        "photo": displayed(image_jpeg=["/9j/", "4AAQ\n"], text_plain="a clock"),
        "text": displayed(text_plain="<a> & `b`"),
        "markdown": displayed(text_markdown=["**bold**\n", "\n", '--8<-- "CHANGELOG.md"'], text_plain=plain),
        "formula": displayed(text_latex=r"$\displaystyle a < b$", text_plain=plain),
        "json": displayed(application_json={"a": ["<é>", None]}, text_plain=plain),
        "fences": printed(["```\n", "````text\n", "*no emphasis*\n"]),
        "warning": printed("careful\n", "stderr"),
        "error": {"output_type": "error", "traceback": ["\x1b[31mKeyError\x1b[0m", "'data'"]},
    }
    made = page_of(code_cell("run()", *shown.values(), tags=["raises-exception"]))
    boxes = dict(zip(shown, made.html.select(".cell-output"), strict=True))
    assert str(boxes["table"].table) == "<table>\n<tr><td>1</td></tr></table>"
    assert not made.html.select("style, script") and boxes["drawing"].svg.path["d"] == "M0"
    assert boxes["picture"].img["src"] == "data:image/png;base64,iVBORw0KGgo=" and boxes["picture"].img["alt"] == "<a clock>"
    assert boxes["photo"].img["src"] == "data:image/jpeg;base64,/9j/4AAQ"
    assert boxes["text"].pre.get_text() == "<a> & `b`"
    assert boxes["markdown"].strong.get_text() == "bold" and "8<" in boxes["markdown"].get_text()
    assert boxes["formula"].get_text() == r"$\displaystyle a < b$"
    assert json.loads(boxes["json"].get_text()) == {"a": ["<é>", None]}
    assert boxes["fences"].pre.get_text() == "```\n````text\n*no emphasis*"
    assert boxes["error"].pre.get_text() == "KeyError\n'data'"
    errors = [name for name, box in boxes.items() if box["aria-label"] == "Error output"]
    assert errors == ["warning", "error"] == [name for name, box in boxes.items() if "cell-output--error" in box["class"]]
    assert plain not in str(made.html) + made.markdown and made.warnings == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("![p](attachment:image.png)", "image.png"),
        ("![p](attachment:my%20image%20%281%29.png)", "my image (1).png"),
        ("![p][it]\n\n[it]: attachment:图.png", "图.png"),
        ('<img alt="p" src="attachment:a.png" width="300">', "a.png"),
        ('A picture in a text: <img alt="p" src="attachment:a.png">', "a.png"),
    ],
)
def test_a_picture_that_was_pasted_is_shown(page_of, source, name):
    other = text_cell("![other](attachment:image.png)", attachments={"image.png": {"image/jpeg": "/9j/"}})
    made = page_of(other, text_cell(source, attachments={name: {"image/png": PIXEL}}))
    sources = [image["src"] for image in made.html.select("img")]
    assert sources == ["data:image/jpeg;base64,/9j/", "data:image/png;base64,iVBORw0KGgo="] and made.warnings == []
    assert "attachment:" not in made.markdown


def test_a_pasted_picture_that_is_gone_is_told(page_of):
    [warning] = page_of(text_cell("![p](attachment:gone.png)")).warnings
    assert "notebooks/any.ipynb" in warning and "gone.png" in warning


@pytest.mark.parametrize(
    ("heading", "link"),
    [
        ("认证", "认证"),
        ("Что такое токен", "Что-такое-токен"),
        ("Что такое токен", quote("Что-такое-токен")),
        ("Où est la clé", "Où-est-la-clé"),
        ("日本語 und Straße", "日本語-und-Straße"),
        ("What to keep", "What-to-keep"),
    ],
)
def test_a_heading_in_any_script_has_an_anchor(page_of, heading, link):
    made = page_of(text_cell(f"## {heading}\n\n[link](#{link})"))
    assert made.warnings == []
    [target] = [tag["href"][1:] for tag in made.html.select("a:not(.headerlink)[href^='#']")]
    assert made.html.h2["id"] == target and target.strip("_0123456789")


def test_a_link_to_a_heading_that_is_not_there_is_told(page_of):
    for link in ("认", "🎉"):
        assert [warning for warning in page_of(text_cell(f"## 认证\n\n[a](#{link})")).warnings if link in warning]


def test_code_in_a_text_stays_as_it_is(page_of):
    code = '[a](../docs/b.md#C)\n<details>\n<img alt="a" src="b" width="1">\n--8<-- "CHANGELOG.md"'
    made = page_of(text_cell(f'Type `[a](#B)`:\n\n```text\n{code}\n```\n\n--8<-- "CHANGELOG.md"\n'))
    assert made.html.select_one(".highlight pre").get_text().strip("\n") == code
    assert "[a](#B)" in made.html.get_text() and made.html.get_text().count("CHANGELOG.md") == 2 and made.warnings == []
    assert code in made.markdown


def test_a_first_text_is_no_front_matter(page_of):
    made = page_of(title=text_cell("Time: 15 minutes\n\n# Title\n\nA paragraph."))
    assert "Time: 15 minutes" in made.html.get_text()


def test_a_notebook_that_is_no_lesson_yet_has_a_page_and_no_place_in_the_course(page_of, caplog):
    made = page_of()
    assert [told for told in caplog.messages if "notebooks/any.ipynb" in told and "a goal" in told and "minutes" not in told]
    assert made.html.h1 and made.page.meta["description"] == "A paragraph."


def test_code_that_a_text_swallows_is_told(page_of):
    made = page_of(text_cell("```\nnobody ends this"), code_cell("x = 1"), text_cell("```\nor this"))
    assert any("notebooks/any.ipynb" in warning and "open" in warning for warning in made.warnings)
