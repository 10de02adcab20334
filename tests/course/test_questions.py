"""The questions at the end of each lesson: how they are written, and what comes of a choice. ``test_notebooks.py`` looks for
faults in those of each notebook."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from publish.questions import read_questions
from tools.judges import axe
from tools.running import NOTEBOOKS, ROOT
from tools.static_site import StaticHost, parsed
from tools.texts import complain, markdown

COURSE = {path: read_questions(markdown(path))[0] for path in NOTEBOOKS}
ALL = [question for questions in COURSE.values() for question in questions]
# The storage refuses what the kit keeps. What the theme does without a storage is its own matter.
REFUSED = """for (const name of ["getItem", "setItem"]) {
  const kept = Storage.prototype[name]
  Storage.prototype[name] = function (key, ...value) {
    if (key.startsWith("linked.is kit")) throw new DOMException("", "SecurityError")
    return kept.call(this, key, ...value)
  }
}"""
GOOD = markdown(ROOT / "tools" / "template.ipynb")


@pytest.mark.check
def test_nobody_passes_by_choosing_the_same_place():
    places = Counter(question.right[0] for question in ALL)
    assert {0, 1, 2, 3} == set(places) and max(places.values()) <= len(ALL) / 2


@pytest.mark.check
def test_no_answer_and_no_question_is_there_twice():
    told = {}
    for path, questions in COURSE.items():
        for text in [text for one in questions for text in (one.text, *(answer.split("** ")[1] for answer in one.answers))]:
            told.setdefault(text, []).append(path.name)
    complain(f"{' and '.join(names)} both say “{text}”: write one of them anew" for text, names in told.items() if len(names) > 1)


@pytest.mark.check
@pytest.mark.parametrize(
    ("good", "broken", "fault"),
    [
        ("2. The right one\n", "", "one answer for each option"),
        ("2. **Right.** Say why.\n", "2. **Wrong.** Say why.\n", "exactly one answer that begins with **Right.**"),
        ("1. **Wrong.** Say why", "1. **Right.** Say why", "exactly one answer that begins with **Right.**"),
        ("1. **Wrong.** Say why", "1. Say why", "neither with **Right.** nor with **Wrong.**"),
        ("4. The right one\n", "4. The right one\n5. Nothing\n", "three or four options"),
        ("1. The mistake that most people make\n", "1. Another mistake\n", "the same option or answer twice"),
        ("**A question that", "A question that", "is no question"),
        ("<summary>Answers</summary>", "<summary>Answer</summary>", "is no question"),
    ],
)
def test_a_broken_question_is_found(good, broken, fault):
    assert good in GOOD and read_questions(GOOD)[1] == []
    assert any(fault in found for found in read_questions(GOOD.replace(good, broken, 1))[1])


def test_the_site_asks_the_questions_of_the_notebooks(site):
    def asked(page):
        return [tag["id"] for tag in parsed(site / page / "index.html").select(".question")]

    for path, questions in COURSE.items():
        assert asked(f"notebooks/{path.stem}") == [question.id for question in questions]
    assert asked("review") == [question.id for question in ALL]
    page = " ".join(parsed(site / "workshop" / "wrong-answers" / "index.html").article.get_text().split())
    for question in ALL:
        for place, answer in enumerate(question.answers):
            told = answer.split("** ")[1].replace("`", "").replace("*", "")
            assert (told in page) == (place not in question.right), told


@pytest.fixture
def tab(browser, site):
    """A tab of a new reader, on an evening in New York: elsewhere it is the next day. Soon, the clocks change there."""
    options = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce", "timezone_id": "America/New_York"}
    with StaticHost(site) as host:
        tab = browser.new_page(base_url=host.url, **options)
        tab.errors = []
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.on("console", lambda message: tab.errors.append(message.text) if message.type == "error" else None)
        tab.clock.set_fixed_time(datetime(2026, 3, 7, 1, tzinfo=UTC))
        yield tab
        assert tab.errors == []
        tab.close()


def lesson(number):
    """Return the address of a lesson, and its questions."""
    path = NOTEBOOKS[number - 1]
    return f"notebooks/{path.stem}/", COURSE[path]


def box(tab, question, place):
    """Return the radio button of an option on a page."""
    return tab.locator(f"#{question.id}").get_by_role("radio").nth(place)


def said(tab, question):
    return tab.locator(f"#{question.id}").get_by_role("status")


def wrong(question):
    return next(place for place in range(len(question.options)) if place not in question.right)


def asked_on_review(tab, **later):
    """Open the page Review, so much later than before; return the questions that it asks."""
    if later:
        tab.clock.set_fixed_time(datetime.fromtimestamp(tab.evaluate("Date.now()") / 1000, UTC) + timedelta(**later))
    tab.goto("review/")
    expect(tab.locator(".review").get_by_role("status").first).not_to_be_empty()
    return {question.id for question in ALL if tab.locator(f"#{question.id}").is_visible()}


def test_a_choice_is_answered_at_once_and_by_its_own_answer(tab):
    address, [first, *_] = lesson(4)
    tab.goto(address)
    group = tab.get_by_role("group", name=first.text.replace("`", ""))
    for place, answer in enumerate(first.answers):
        group.get_by_role("radio").nth(place).check()
        expect(said(tab, first)).to_contain_text(answer.replace("`", "").split("** ")[1])
        expect(said(tab, first)).to_contain_text("Right" if place in first.right else "Wrong")
    tab.emulate_media(media="print")
    expect(tab.locator(f"#{first.id} details li")).to_have_count(len(first.answers))
    expect(tab.locator(f"#{first.id} details li").last).to_be_visible()


def test_the_arrows_pass_an_option_without_choosing_it(tab):
    address, [first, *_] = lesson(4)
    tab.goto(address)
    box(tab, first, 0).focus()
    for key, place in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowDown", 0), ("ArrowUp", 2)):
        tab.keyboard.press(key)
        expect(box(tab, first, place)).to_be_focused()
        expect(said(tab, first)).to_be_empty()
    tab.keyboard.press("Space")
    expect(box(tab, first, 2)).to_be_checked()
    expect(said(tab, first)).not_to_be_empty()


@pytest.mark.long
def test_what_was_missed_and_what_is_due_is_asked_again(tab):
    address, [missed, known, _] = lesson(6)
    assert asked_on_review(tab) == set()
    tab.goto(address)
    box(tab, missed, wrong(missed)).check()
    box(tab, missed, missed.right[0]).check()  # The first choice counts.
    box(tab, known, known.right[0]).check()
    tab.get_by_role("article").get_by_role("link", name="Review").click()
    assert asked_on_review(tab) == {missed.id}
    box(tab, missed, missed.right[0]).check()
    assert axe(tab) == []
    assert asked_on_review(tab) == set()
    assert asked_on_review(tab, hours=5) == {missed.id, known.id}  # It is the next day.
    box(tab, missed, wrong(missed)).check()
    box(tab, known, known.right[0]).check()
    assert asked_on_review(tab, days=2) == {missed.id}
    assert asked_on_review(tab, days=1) == {missed.id, known.id}
    box(tab, known, known.right[0]).check()
    box(tab, missed, missed.right[0]).check()
    assert asked_on_review(tab, days=6) == {missed.id}
    assert asked_on_review(tab, days=1) == {missed.id, known.id}
    box(tab, known, known.right[0]).check()
    assert asked_on_review(tab, days=400) == {missed.id}
    tab.once("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Forget").click()
    assert asked_on_review(tab) == set()


def test_a_question_is_asked_where_nothing_can_be_kept(tab):
    tab.add_init_script(REFUSED)
    address, [first, *_] = lesson(4)
    tab.goto(address)
    box(tab, first, 0).check()
    expect(said(tab, first)).not_to_be_empty()
    assert asked_on_review(tab) == set()


def test_questions_and_answers_can_be_read_without_a_script(browser, site):
    address, [first, *_] = lesson(4)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((site / address / "index.html").as_uri())
    answers = page.locator(f"#{first.id} details")
    answers.locator("summary").click()
    expect(answers.get_by_role("listitem").last).to_be_visible()
    page.context.close()
    assert first.markdown in (site / f"{address[:-1]}.md").read_text(encoding="utf-8")
