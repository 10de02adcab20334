import pytest
import requests
from report import count_clicks


def test_the_clicks_of_all_links_are_counted(linked_is):
    assert count_clicks() == 3022


def test_a_revoked_token_is_an_error(linked_is):
    linked_is.settings_page.revoke("Test")
    with pytest.raises(requests.HTTPError, match="401"):
        count_clicks()


def test_no_token_goes_to_linked_is_without_https(linked_is, monkeypatch):
    monkeypatch.setenv("LINKED_IS_BASE_URL", "http://api.linked.is/v1")
    with pytest.raises(ValueError, match="https"):
        count_clicks()


def test_no_error_quotes_a_token_that_cannot_be_sent(linked_is, monkeypatch):
    monkeypatch.setenv("LINKED_IS_API_TOKEN", "made-up\n")
    with pytest.raises(ValueError, match="a character") as stopped:
        count_clicks()
    assert "made-up" not in str(stopped.value)
