import subprocess
import sys

import pytest

from mock_server.settings_page import SettingsPage


@pytest.fixture(scope="session")
def base_url():
    """The address of a mock server that runs as long as the tests."""
    command = [sys.executable, "-m", "mock_server", "--port", "0", "--database", ":memory:", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        # Port 0 is a free one. The first line says which.
        yield server.stdout.readline().split("API base URL: ")[1].split()[0]
        server.terminate()


@pytest.fixture
def settings_page(base_url, monkeypatch):
    """The Settings > API page of a new account, whose token is in the environment."""
    page = SettingsPage(base_url)
    page.sign_up()
    monkeypatch.setenv("LINKED_IS_BASE_URL", base_url)
    monkeypatch.setenv("LINKED_IS_API_TOKEN", page.generate_token(name="Test"))
    return page
