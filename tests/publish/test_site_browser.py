"""The built site as its readers use it: a real browser, a static host, a path below which everything lies."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tools.judges import EACH_ONCE, axe, faults, judged
from tools.running import NOTEBOOKS, ROOT
from tools.static_site import StaticHost, build
from tools.write_exercises import EXERCISES

HOME, QUICKSTART, NOTEBOOK, REFERENCE = "", "quickstart/", "notebooks/04-call-the-api/", "reference/errors/"
WIDE, NARROW, PAPER = ({"width": width, "height": 844} for width in (1280, 390, 718))  # A4 without its margins is 718
MAIN = {  # a page of each kind → what a person opens it for
    HOME: ("link", "Run it in five minutes"),
    NOTEBOOK: ("button", "Copy to clipboard"),
    "notebooks/exercises/04-call-the-api/": ("link", "Download this notebook"),
    REFERENCE: ("link", "MISSING_TOKEN"),
}

# What a person types → the page that must come first or second.
SEARCHES = {
    "401": REFERENCE,
    "MISSING_TOKEN": REFERENCE,
    "INVALID_TOKEN": REFERENCE,
    "TOKEN_EXPIRED": REFERENCE,
    "token expired": REFERENCE,
    "stops working": "reference/why-a-token-stops-working/",
    "install": QUICKSTART,
    "curl": QUICKSTART,
    "generate token": "notebooks/02-generate-a-token/",
    ".env": "notebooks/03-load-it-from-dotenv/",
    "load_dotenv": "notebooks/03-load-it-from-dotenv/",
    "dotenv override": "notebooks/03-load-it-from-dotenv/",
    "Authorization header": NOTEBOOK,
    "timeout": "reference/glossary/",
    "create a link": "notebooks/05-use-what-a-token-opens/",
    "clicks by country": "notebooks/05-use-what-a-token-opens/",
    "downtime": "notebooks/07-rotate-without-downtime/",
    "rotate": "how-to/rotate-a-token/",
    "revoke": "notebooks/08-revoke-and-react-to-a-leak/",
    "leak": "how-to/react-to-a-leak/",
    "rate limit": "reference/rate-limits/",
    "429": "notebooks/09-respect-rate-limits/",
    "Retry-After": "notebooks/09-respect-rate-limits/",
    "backoff": "notebooks/09-respect-rate-limits/",
    "windows": "how-to/store-a-token-on-windows/",
    "docker": "how-to/store-a-token-in-docker/",
    "github actions": "how-to/store-a-token-in-ci/",
    "colab": "how-to/store-a-token-in-a-notebook-service/",
    "CORS": "how-to/token-in-the-browser/",
    "jupyterhub": "how-to/run-the-course-elsewhere/",
    "binder": "how-to/run-the-course-elsewhere/",
    "vs code": "how-to/run-the-course-elsewhere/",
    "pytest": "how-to/test-without-an-account/",
    "pagination": "reference/api/",
    "next page": "reference/api/",
    "analytics": "reference/api-analytics/",
    "mock server": "reference/mock-server/",
    "class code": "reference/mock-server/",
    "clock": "reference/controls/",
    "bearer": "explanation/how-bearer-tokens-work/",
    "hash": "explanation/why-a-token-is-shown-once/",
    "agenda": "workshop/agendas/",
    "postman": "reference/api/",
    "swagger": "reference/api/",
    "webhook": "reference/api/",
    "base url": "reference/api/",
    "gitlab": "how-to/store-a-token-in-ci/",
    "api key": "notebooks/02-generate-a-token/",
    "lost token": "notebooks/02-generate-a-token/",
    "forgot token": "notebooks/02-generate-a-token/",
    "delete token": "notebooks/08-revoke-and-react-to-a-leak/",
    "env file": "notebooks/03-load-it-from-dotenv/",
    "expired": "reference/why-a-token-stops-working/",
    "invalid token": REFERENCE,
    "run in browser": "reference/browsers/",
    "python requests": NOTEBOOK,
    "quiz": "review/",
}


@pytest.fixture(scope="module")
def host(site):
    """The site at a static host."""
    with StaticHost(site) as running:
        yield running


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The site as a publisher builds it, who knows its address."""
    folder = tmp_path_factory.mktemp("published")
    with StaticHost(folder) as running:
        result = build(ROOT, folder, SITE_URL=running.url)
        assert result.returncode == 0, result.stdout + result.stderr
        yield running


@pytest.fixture
def open_tab(browser, host):
    """Open a tab of a new reader, who may not be made to ask any other origin for anything."""
    contexts, requested = [], []

    def open_tab(url=host.url, **options):
        contexts.append(browser.new_context(**{"base_url": url, "viewport": WIDE, **options}))
        contexts[-1].on("request", lambda request: requested.append((url, request.url)))
        return contexts[-1].new_page()

    yield open_tab
    for context in contexts:
        context.close()
    assert requested and not [asked for url, asked in requested if not asked.startswith(url)]


@pytest.fixture
def tab(open_tab):
    return open_tab(permissions=["clipboard-read", "clipboard-write"])


def addresses(folder):
    """Return the address of each page of a built site, below its own. tests/tab/test_tab.py looks at those of the tab, and a
    page of solutions is as the one of its exercises.
    """
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*.html") if ".solution" not in str(path)]
    return sorted(path.removesuffix("index.html") for path in paths if not path.startswith(("lab/", "tab/", "slides/")))


# Search


def pages_found(tab, query):
    """Type a query into the search; return the addresses of the pages that it finds, best first."""
    box = tab.get_by_role("textbox", name="Search")
    count = tab.locator(".md-search-result__meta")
    for words, said in (("", "Type to start"), (query, re.compile("match|No "))):
        box.fill(words)
        box.press("End")  # The theme listens for keys.
        expect(count).to_contain_text(said)
    links = tab.locator(".md-search-result__item > a:first-child").evaluate_all("links => links.map(link => link.href)")
    return [urlsplit(link).path.removeprefix("/kit/") for link in links]


@pytest.mark.long
def test_search_finds_what_a_person_types(tab):
    tab.goto(HOME)
    tab.keyboard.press("/")
    found = {query: pages_found(tab, query) for query in SEARCHES}
    assert {query: links[:4] for query, links in found.items() if SEARCHES[query] not in links[:2]} == {}
    assert not [link for links in found.values() for link in links if "solution" in link]


def test_a_search_with_a_typing_mistake_offers_the_nearest_words(tab):
    tab.goto(HOME)
    tab.keyboard.press("/")
    assert pages_found(tab, "authorizaton") == []
    tab.get_by_role("button", name="authorization", exact=True).press("Enter")
    expect(tab.locator(".md-search-result__item").first).to_be_visible()
    expect(tab.get_by_role("button", name="authorization", exact=True)).to_be_hidden()
    expect(tab.get_by_role("textbox", name="Search")).to_be_focused()


# Every reader


def problems(tab, addresses, **looks):
    """Return what is wrong with pages, and what the browser complains of, by their address."""
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    found = {}
    for address in addresses:
        tab.goto(address)
        tab.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
        role, name = MAIN.get(address, ("heading", None))
        found[address] = [*judged(tab, tab.get_by_role("article").get_by_role(role, name=name).first, **looks), *complaints]
        complaints.clear()
    return {address: wrong for address, wrong in found.items() if wrong}


def test_a_page_is_for_everybody(tab):
    assert problems(tab, [NOTEBOOK], looks=EACH_ONCE) == {}


@pytest.mark.long
def test_a_page_of_each_kind_is_for_everybody_in_both_schemes_at_each_width(tab):
    assert problems(tab, [NOTEBOOK, REFERENCE]) == {}


@pytest.mark.long
def test_every_page_is_for_everybody(open_tab, published):
    pages = addresses(published.folder)
    assert problems(open_tab(published.url), pages, looks=EACH_ONCE) == {} and len(pages) > 40


@pytest.mark.long
def test_what_opens_is_for_everybody(open_tab):
    tab = open_tab(viewport=NARROW, reduced_motion="reduce")
    tab.goto(QUICKSTART)
    tab.get_by_role("button", name="Navigation").press("Space")
    assert axe(tab) == []
    tab.keyboard.press("Escape")
    assert pages_found(tab, "token") and axe(tab) == []


def test_nothing_moves_for_a_reader_who_asked_for_that(open_tab):
    tab = open_tab(reduced_motion="reduce")
    tab.goto(NOTEBOOK)
    moving = """() => [...document.querySelectorAll("*")].map(element => getComputedStyle(element)).filter(style =>
        style.transitionDuration !== "0s" || style.animationName !== "none" || style.scrollBehavior !== "auto").length"""
    assert tab.evaluate(moving) == 0
    tab.emulate_media(reduced_motion="no-preference")
    assert tab.evaluate(moving) > 0


# The keyboard


def focused(tab):
    """Return what has the focus."""
    return tab.locator(":focus")


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)


def tab_to(tab, element, key="Tab"):
    """Press Tab until the element has the focus. What has it on the way must be seen."""
    for _ in range(20):
        press(tab, key)
        if element.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{element} can't be reached by {key}")


def test_the_first_tab_leads_past_the_navigation(tab):
    tab.goto(NOTEBOOK)
    press(tab, "Tab")
    expect(focused(tab)).to_have_text("Skip to content")
    press(tab, "Enter", "Tab")
    assert tab.locator("article :focus").count() == 1
    expect(focused(tab)).to_be_in_viewport()


def test_search_by_keyboard_which_may_be_faster_than_the_index(tab):
    index, asked = "**/search_index.json", []
    tab.route(index, lambda route: asked.append(route))
    tab.goto(HOME)
    assert asked == []  # A reader who doesn't search doesn't load it.
    with tab.expect_request(index):
        press(tab, "s")
    tab.keyboard.type("revoke")
    asked[0].continue_()
    tab.unroute(index)
    expect(tab.locator(".md-search-result__meta")).to_contain_text("match")
    press(tab, "ArrowDown", "Enter")
    tab.wait_for_url("**/?h=revoke*")
    expect(tab.locator("article mark").first).to_have_text("revoke", ignore_case=True)
    press(tab, "/")
    expect(focused(tab)).to_have_attribute("aria-label", "Search")
    expect(tab.locator(".md-search__output")).to_be_visible()  # The theme opens the search a moment after the focus is there.
    press(tab, "Escape")
    expect(tab.locator(".md-search__output")).to_be_hidden()


@pytest.mark.long
def test_the_navigation_by_keyboard_on_a_narrow_screen(open_tab):
    tab = open_tab(viewport=NARROW)
    tab.goto(QUICKSTART)
    drawer, sidebar = tab.get_by_role("button", name="Navigation"), tab.locator(".md-sidebar--primary")
    press(tab, "Tab", "Tab")
    expect(drawer).to_be_focused()
    expect(sidebar).to_be_hidden()
    press(tab, "Space")
    expect(sidebar).to_be_in_viewport(ratio=0.9)
    tab_to(tab, tab.get_by_role("checkbox", name="The course"))
    press(tab, "Space")  # a level down
    expect(sidebar.get_by_role("link", name="Start here")).to_be_visible()
    tab_to(tab, sidebar.get_by_role("link", name="Generate a token"))
    tab_to(tab, tab.get_by_role("checkbox", name="The course"), "Shift+Tab")
    press(tab, "Space")
    assert not tab.get_by_role("link", name="Reference", exact=True).is_visible()
    tab_to(tab, tab.get_by_role("checkbox", name="Learn"), "Shift+Tab")
    press(tab, "Space")  # a level up
    tab_to(tab, tab.get_by_role("link", name="Reference", exact=True))
    press(tab, "Escape")
    expect(drawer).to_be_focused()
    expect(sidebar).to_be_hidden()
    press(tab, "Space")
    tab_to(tab, tab.get_by_role("link", name="Reference", exact=True))
    press(tab, "Enter")
    tab.wait_for_url("**/reference/**")


@pytest.mark.long
def test_the_colours_by_keyboard_and_they_stay(open_tab):
    tab = open_tab(color_scheme="light")
    tab.goto(HOME)
    tab_to(tab, tab.get_by_role("radio", name="Switch to light mode"))  # It follows the system, and is light already.
    scheme = tab.locator("body")
    press(tab, "ArrowRight", "ArrowRight")
    expect(scheme).to_have_attribute("data-md-color-scheme", "slate")
    tab.goto(NOTEBOOK)
    expect(scheme).to_have_attribute("data-md-color-scheme", "slate")
    tab.get_by_title("Follow the system").click()
    expect(scheme).to_have_attribute("data-md-color-scheme", "default")


def test_a_language_is_chosen_by_keyboard_and_remembered_on_every_page(tab):
    tab.goto(QUICKSTART)
    tab.get_by_role("radio", name="Python").first.focus()
    press(tab, "ArrowRight", "ArrowRight")
    expect(tab.get_by_role("radio", name="JavaScript").first).to_be_checked()
    tab.goto(REFERENCE)
    expect(tab.get_by_role("radio", name="JavaScript").first).to_be_checked()
    expect(tab.locator(".tabbed-block:visible").first).to_contain_text("await fetch")


@pytest.mark.long
def test_what_scrolls_is_reached_by_keyboard(open_tab):
    tab = open_tab(viewport=NARROW)
    for address in (NOTEBOOK, REFERENCE):
        tab.goto(address)
        scrolling = """() => [...document.querySelectorAll("article *")].filter(element =>
            element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === "auto")"""
        found = tab.evaluate_handle(scrolling)
        assert found.evaluate("elements => elements.length") > 0
        assert found.evaluate("elements => elements.filter(element => element.tabIndex < 0).map(e => e.outerHTML)") == []
        first = found.evaluate_handle("elements => elements[0]").as_element()
        first.focus()
        press(tab, *["ArrowRight"] * 5)
        tab.wait_for_function("element => element.scrollLeft > 0", arg=first)


def test_the_focus_shows_on_the_options_of_a_question(tab):
    tab.goto(NOTEBOOK)
    option = tab.locator(".question").first.get_by_role("radio").first
    press(tab, "Tab")  # A reader with a keyboard: a click shows no ring.
    option.focus()
    assert option.evaluate("option => getComputedStyle(option).outlineStyle") == "solid"


# What a page does


def test_a_table_on_a_telephone_says_what_each_cell_is(open_tab):
    tab = open_tab(viewport=NARROW)
    tab.goto("workshop/cheat-sheet/")
    said = "row => [...row.cells].map(cell => getComputedStyle(cell, '::before').content.includes(cell.dataset.label))"
    row = tab.get_by_role("row").filter(has_text="Revoke the old token")
    assert row.evaluate(said) == [True, True]  # Two lists side by side: without their heads, nobody tells them apart.
    wide = tab.get_by_role("row").filter(has_text="Business")
    assert wide.evaluate(said) == [False, True, True]  # The first cell names the row.


def test_the_copy_buttons_copy_the_cells(tab):
    cells = json.loads((ROOT / "notebooks" / f"{NOTEBOOK.split('/')[1]}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    tab.goto(NOTEBOOK)
    copied = []
    for button in tab.get_by_role("button", name="Copy to clipboard").all():
        button.press("Enter")
        expect(tab.get_by_text("Copied to clipboard")).to_be_visible()
        copied.append(tab.evaluate("navigator.clipboard.readText()"))
    assert [text for text in copied if text in sources] == sources


@pytest.mark.long
def test_next_leads_through_the_whole_course_and_its_exercises(tab):
    tab.goto(QUICKSTART)
    course = sorted([*NOTEBOOKS, *EXERCISES], key=lambda path: (path.stem, path in EXERCISES))
    for path in course:
        tab.get_by_role("contentinfo").get_by_role("link", name=re.compile("^Next")).click()
        assert tab.url.endswith(f"/{path.relative_to(ROOT).with_suffix('').as_posix()}/")
        expect(tab.locator('.md-nav--primary a[href="./"]')).to_have_count(1)
    tab.get_by_role("link", name=re.compile("^Previous")).click()
    tab.get_by_role("article").get_by_role("link", name="Capstone").click()  # after the last exercises, the next lesson
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Capstone")


def test_code_of_88_characters_fits_beside_both_columns(tab):
    tab.goto(NOTEBOOK)
    for part in ("Navigation", "Table of contents"):
        expect(tab.get_by_role("navigation", name=part)).to_be_visible()
    room = """code => {
        const {width, paddingLeft, paddingRight} = getComputedStyle(code)
        const probe = code.appendChild(document.createElement("span"))
        probe.style.cssText = "display: inline-block; width: 88ch"
        return parseFloat(width) - parseFloat(paddingLeft) - parseFloat(paddingRight) - probe.getBoundingClientRect().width
    }"""
    assert tab.locator("article pre > code").first.evaluate(room) >= 0


def test_the_contents_lead_to_a_heading(tab):
    tab.goto(NOTEBOOK)
    entry = tab.get_by_role("navigation", name="Table of contents").get_by_role("link").nth(5)
    entry.click()
    heading = tab.get_by_role("heading", name=entry.inner_text())
    expect(heading).to_be_in_viewport()
    expect(entry).to_have_class(re.compile("md-nav__link--active"))


@pytest.mark.long
def test_a_reader_sees_what_is_done_and_goes_on(tab, tmp_path):
    tab.goto(HOME)
    go_on = tab.locator(".go-on")
    expect(go_on).to_be_hidden()
    tab.goto("progress/")
    list_ = tab.locator(".progress")
    status, steps = list_.get_by_role("status"), list_.get_by_role("checkbox")
    expect(status).to_contain_text(f"0 of {steps.count()}")
    steps.first.check()
    expect(status).to_contain_text("1 of")
    navigation = tab.get_by_role("navigation", name="Navigation")
    expect(navigation.get_by_role("link", name="Start here")).to_have_accessible_name(re.compile("done"))
    with tab.expect_download() as saved:
        list_.get_by_role("button", name="Save as a file").press("Enter")
    saved.value.save_as(tmp_path / "saved.json")
    tab.once("dialog", lambda question: question.accept())
    list_.get_by_role("button", name="Forget all").press("Enter")
    expect(status).to_contain_text("0 of")
    file = list_.get_by_label("Load a file")
    file.set_input_files({"name": "other.json", "mimeType": "application/json", "buffer": b"3"})
    expect(status).to_contain_text("Nothing has changed")
    file.set_input_files(tmp_path / "saved.json")
    expect(status).to_contain_text("1 of")
    second = list_.get_by_role("link").nth(1).inner_text()
    tab.goto(HOME)
    expect(go_on).to_contain_text("1 of")
    go_on.get_by_role("link", name=second).click()
    expect(tab.get_by_role("heading", name=second)).to_be_in_viewport()


@pytest.mark.long
def test_on_paper_there_is_the_text_and_all_of_it(open_tab):
    tab = open_tab(viewport=PAPER)
    tab.emulate_media(media="print")
    for address in (QUICKSTART, NOTEBOOK, REFERENCE):
        tab.goto(address)
        for part in ("header", "footer", ".md-tabs", ".md-sidebar", ".md-code__nav", ".headerlink"):
            assert not [part for element in tab.locator(part).all() if element.is_visible()]
        assert faults(tab) == []
    expect(tab.get_by_text("await fetch").first).to_be_visible()  # All languages are printed.


@pytest.mark.long
def test_every_page_fits_on_paper(open_tab, host):
    tab = open_tab(viewport=PAPER)
    tab.emulate_media(media="print")
    found = {}
    for address in addresses(host.folder):
        tab.goto(address)
        found[address] = faults(tab)
    assert {address: wide for address, wide in found.items() if wide} == {}


def test_without_javascript_a_page_can_be_read(open_tab):
    tab = open_tab(java_script_enabled=False, viewport=NARROW)
    tab.goto(NOTEBOOK)
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Call the API")
    expect(tab.locator("article pre code").first).to_be_visible()
    expect(tab.locator(".cell-output").first).to_be_visible()
    tab.get_by_role("link", name=re.compile("^Next")).click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Exercises: call the API")
    tab.goto(QUICKSTART)
    tab.get_by_text("JavaScript", exact=True).first.click()
    expect(tab.get_by_text("--env-file=.env").first).to_be_visible()


# How fast


def transfer(tab, host, address):
    """Open a page, wait until all has come, and return the bytes that the host sent, by path."""
    host.sent.clear()
    with tab.expect_worker() as search:  # The page doesn't wait for it.
        tab.goto(address, wait_until="networkidle")
    search.value.evaluate("lunr.version")  # Its script has come.
    return host.sent


def test_a_first_visit_is_light_even_on_the_longest_page_of_the_course(open_tab, host):
    longest = max(host.folder.glob("notebooks/**/index.html"), key=lambda page: page.stat().st_size)
    tab = open_tab()
    first = transfer(tab, host, longest.parent.relative_to(host.folder).as_posix() + "/")
    assert 50_000 < first.total() <= 100_000, first
    second = transfer(tab, host, HOME)
    assert second.total() < 17_000, second
