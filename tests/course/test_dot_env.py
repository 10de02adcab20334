"""What a learner has in ``.env``, and what their computer adds: said with the right form, and without a piece of a token."""

import pytest

from mock_server import tokens
from mock_server.dot_env import MOCK, REAL, RERUN, NoToken, WrongSetting, check_base_url, check_env_file, read_token
from tests.repository.test_places import IN_A_TAB
from tools.leaks import assert_without

TOKEN = tokens.PREFIX + "Q7xZ9kW4" * 4 + "reBa"  # made up, and the same in each process of the tests


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    """Write ``.env`` in the folder above the one that a kernel runs in."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("LINKED_IS_API_TOKEN")
    return lambda text: (tmp_path / ".env").write_bytes(text.encode())


def test_a_token_is_read_as_it_is(env_file, monkeypatch):
    for token in (TOKEN, "a.b-c_d~e+f/g==", "17|Zq7XkP2m", "bearers-of-tokens"):  # linked.is says nothing of the shape
        monkeypatch.setenv("LINKED_IS_API_TOKEN", token)
        assert read_token() == token


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        (f"{TOKEN}\n", "Character 46 of the token is wrong: LINE BREAK OR TAB[.]"),
        (f"{TOKEN}\r", "Character 46 of the token is wrong: LINE BREAK OR TAB[.]"),
        (f"{TOKEN[:20]}\n{TOKEN[20:]}", "Character 21 of the token is wrong: LINE BREAK OR TAB[.]"),
        (f"{TOKEN}\t", "Character 46 of the token is wrong: LINE BREAK OR TAB[.]"),
        (f" {TOKEN}", "Character 1 of the token is wrong: SPACE[.]"),
        (f'"{TOKEN}"', "Character 1 of the token is wrong: QUOTATION MARK[.]"),
        (f"'{TOKEN}", "Character 1 of the token is wrong: APOSTROPHE[.]"),
        (f"“{TOKEN}”", "Character 1 of the token is wrong: LEFT DOUBLE QUOTATION MARK[.]"),
        (f"\u200b{TOKEN}", "Character 1 of the token is wrong: ZERO WIDTH SPACE[.]"),
        (f"{TOKEN[:20]}\u00ad{TOKEN[20:]}", "Character 21 of the token is wrong: SOFT HYPHEN[.]"),
        (f"{TOKEN}\ufeff", "Character 46 of the token is wrong: ZERO WIDTH NO-BREAK SPACE[.]"),
        (f"Bearer {TOKEN}", "begins with the word Bearer"),
        (f"BEARER: {TOKEN}", "begins with the word Bearer"),
    ],
)
def test_what_came_along_with_a_token_is_named_and_the_token_is_not(env_file, monkeypatch, value, finding):
    monkeypatch.setenv("LINKED_IS_API_TOKEN", value)
    with pytest.raises(WrongSetting, match=finding) as stopped:
        read_token()
    assert "where you set it" in str(stopped.value)
    assert_without(TOKEN, str(stopped.value))
    env_file(f"LINKED_IS_API_TOKEN='{value}'\n" if "'" not in value else f'LINKED_IS_API_TOKEN="{value}"\n')
    if "\r" not in value and not value.startswith('"'):  # python-dotenv reads these two as something else
        with pytest.raises(WrongSetting, match=f"{finding}.* in .env, save the file"):
            read_token()


@pytest.mark.parametrize("value", ["", None])
def test_without_a_token_there_is_a_next_step(env_file, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("LINKED_IS_API_TOKEN", value)
    with pytest.raises(NoToken, match=r"Put it into \.env .*save the file") as stopped:
        read_token()
    assert RERUN in str(stopped.value)
    env_file(f"LINKED_IS_API_TOKEN={TOKEN}\n")
    with pytest.raises(NoToken, match=r"\.env has one ") as stopped:
        read_token()
    assert RERUN in str(stopped.value) and TOKEN not in str(stopped.value)


def test_a_token_that_was_corrected_in_the_file_is_not_said_to_come_from_elsewhere(env_file, monkeypatch):
    monkeypatch.setenv("LINKED_IS_API_TOKEN", "Bearer old")
    env_file(f"LINKED_IS_API_TOKEN={TOKEN}\n")
    with pytest.raises(WrongSetting) as stopped:
        read_token()
    assert RERUN in str(stopped.value) and "It doesn't come from .env" not in str(stopped.value)


@pytest.mark.check
def test_the_command_of_the_messages_is_one_that_a_long_test_looks_for_in_the_menus():
    entry = RERUN.partition("choose ")[2].removesuffix(".")
    assert f"{entry}…" in IN_A_TAB


GOOD = f"""# Mine

export LINKED_IS_API_TOKEN='{TOKEN}'  # until May
LINKED_IS_BASE_URL = https://api.linked.is/v1
no_proxy=127.0.0.1
NETRC=none
LINKED_IS_CLASS_CODE=
"""


FOREIGN = 'PASSED_ON_TO_A_CONTAINER\nGREETING="never closed\n'


@pytest.mark.parametrize(
    "text",
    [GOOD, GOOD.replace("\n", "\r\n"), f"\ufeff{GOOD[8:]}", "", FOREIGN],
    ids=["Unix", "Windows", "BOM", "empty", "another program's"],
)
def test_a_file_that_can_be_read_is_left_alone(env_file, text):
    env_file(text)
    check_env_file()


@pytest.mark.parametrize(
    "line",
    [
        f'LINKED_IS_API_TOKEN="{TOKEN}',
        f"LINKED_IS_API_TOKEN: {TOKEN}",
        f"LINKED_IS_API_TOKEN:{TOKEN}",
        f"LINKED_IS_API_TOKEN {TOKEN}",
        f"linked_is_api_token={TOKEN}",
        f"Linked_Is_Api_Token={TOKEN}",
        f"$LINKED_IS_API_TOKEN={TOKEN}",
        f"LINKED_IS_API_TOKEN={TOKEN}LINKED_IS_BASE_URL={MOCK}",
        f"LINKED_IS_API_TOKEN={TOKEN} LINKED_IS_BASE_URL: {MOCK}",
        TOKEN,  # a line break behind the = sign of the line above
    ],
)
def test_a_line_that_cannot_be_read_is_told_by_its_number(env_file, line):
    env_file(f"# Mine\n\nLINKED_IS_CLASS_CODE=\n\n{line}\nNETRC=none\n")
    for check in (check_env_file, read_token):
        with pytest.raises(WrongSetting, match=r"Line 5 of \.env .*then = and the value") as stopped:
            check()
        assert_without(TOKEN, str(stopped.value))


def test_a_setting_that_is_there_twice_is_named(env_file):
    env_file(f"LINKED_IS_BASE_URL=http://192.0.2.2:8787/v1\nLINKED_IS_API_TOKEN={TOKEN}\nLINKED_IS_BASE_URL={MOCK}\n")
    with pytest.raises(WrongSetting, match=r"^LINKED_IS_BASE_URL is in \.env twice"):
        check_env_file()


@pytest.mark.parametrize(
    "base_url", [MOCK, *REAL, "https://mock.example.com/v1", "http://workshop:8787/v1", "http://[::1]:8787/v1"]
)
def test_a_base_url_in_the_right_form_passes(base_url):
    check_base_url(base_url)


@pytest.mark.parametrize(
    ("base_url", "right"),
    [
        ("http://127.0.0.1:8787/v1/", MOCK),
        ("http://<127.0.0.1>:8787/v1", MOCK),
        ("http://127.0.0.1:8787", MOCK),
        ("http://127.0.0.1:8787/", MOCK),
        ("http://127.0.0.1:8787/v2", MOCK),
        ("http://127.0.0.1:8787/api/v1", MOCK),
        ("http://127.0.0.1:8787/v1?limit=2", MOCK),
        ("http://127.0.0.1:8787/v1 ", MOCK),
        ("127.0.0.1:8787/v1", MOCK),
        ("http:/127.0.0.1:8787/v1", MOCK),
        ("ftp://127.0.0.1:8787/v1", MOCK),
        ("http://127.0.0.1:port/v1", MOCK),
        ("http://[::1/v1", MOCK),
        ("\u200bhttp://127.0.0.1:8787/v1", MOCK),
        ("http://127.0.0.1\u200b:8787/v1", MOCK),
        ("http://\uff11\uff12\uff17.0.0.1:\uff18787/v1", MOCK),
        ("http://127.0.0.1:8787\\v1", MOCK),
        ("localhost:8788", "http://localhost:8788/v1"),
        ("HTTP://LocalHost:8787/v1", "http://localhost:8787/v1"),
        (f"http://{TOKEN}@127.0.0.1:8787/v1", MOCK),
        (TOKEN, MOCK),
        ("http://api.linked.is/v1", REAL[0]),
        ("api.linked.is/v1", REAL[0]),
        ("https://api.linked.is/v1/", REAL[0]),
        ("https://API.linked.is/v1", REAL[0]),
        ("https://api.linked.is", REAL[0]),
        ("https://api.linked.is/v2", REAL[0]),
        ("http://linked.is/api/v1", REAL[0]),
    ],
)
def test_another_base_url_is_told_with_the_right_form(base_url, right):
    with pytest.raises(WrongSetting) as stopped:
        check_base_url(base_url)
    said = str(stopped.value)
    assert said.startswith(f"LINKED_IS_BASE_URL must read {right}.")
    assert ("ZERO WIDTH SPACE" in said) == ("\u200b" in base_url)
    assert ("everybody on the way can read the token" in said) == (right in REAL and "https:" not in base_url)
    assert_without(TOKEN.lower(), said.lower())
