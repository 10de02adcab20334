"""Runs the cells of a page of the site: `browser/page/worker.mjs` asks."""

from __future__ import annotations

import json
import os
import warnings
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyodide_kernel
from dotenv import load_dotenv

from linked_is_tab import server
from linked_is_tab.settings_window import Window
from mock_server.database import Database
from mock_server.dot_env import MOCK as BASE_URL
from mock_server.settings_page import SettingsPage

warnings.filterwarnings("ignore", "To exit: ")  # IPython's advice for a terminal
SETTINGS = Path("/home/.env")
window = Window(BASE_URL.removesuffix("/v1"))
_last_kept: tuple[int, str, dict[str, str]] | None = None


async def run(code: str, send: Callable[[str], None]) -> bool:
    """Run a cell as JupyterLab's kernel does; return whether it ended without an error.

    ``send`` gets each output as JSON in the notebook format, ``{"output_type": "clear"}`` when those before are to go, and
    ``"update"`` with the ``id`` of the one that is to change.
    """

    def show(output_type: str, **output: Any) -> None:
        send(json.dumps({"output_type": output_type, **output}))

    def stream(name: str, text: str) -> None:
        show("stream", name=name, text=text)

    shell = pyodide_kernel.ipython_shell
    pyodide_kernel.stdout_stream.publish_stream_callback = stream
    pyodide_kernel.stderr_stream.publish_stream_callback = stream
    shell.displayhook.publish_execution_result = lambda number, data, metadata: data and show("execute_result", data=data)
    shell.display_pub.display_data_callback = lambda data, metadata, transient: show(
        "display_data", data=data, **named(transient)
    )
    shell.display_pub.update_display_data_callback = lambda data, metadata, transient: show(
        "update", data=data, **named(transient)
    )
    shell.display_pub.clear_output_callback = lambda wait: show("clear")
    ended = await pyodide_kernel.kernel_instance.run(code)
    if ended["status"] == "ok":
        return True
    if ended["ename"] == str(SystemExit):  # a program that ends itself, as from a terminal: with a number, or with what to say
        if ended["evalue"] in ("", "None", "0"):
            return True
        number = ended["evalue"].isdigit()
        stream("stderr", f"The program ended with status {ended['evalue']}.\n" if number else f"{ended['evalue']}\n")
        return False
    show("error", **{name: ended[name] for name in ("ename", "evalue", "traceback")})
    return False


def named(transient: dict[str, str] | None) -> dict[str, str]:
    """Return the name by which a display can be changed later, if it has one."""
    return {"id": transient["display_id"]} if transient and "display_id" in transient else {}


def no_input(*arguments: Any, **options: Any) -> str:
    """Say that nobody can be asked: a worker has no window."""
    raise RuntimeError("A cell can't ask you something on this page. Open the notebook in JupyterLab.")


def visit(path: str, form: str | None = None) -> str:
    """Open a page of the mock server in the page's window, or send it a form, as JSON; return its HTML."""
    return window.open(path, form and json.loads(form))


def read_settings() -> str:
    """Return the text of `.env`, which a cell may have deleted."""
    return SETTINGS.read_text(encoding="utf-8") if SETTINGS.exists() else ""


def save_settings(text: str) -> None:
    """Write `.env`, and let the next cell find what it says: Python is not started again for it."""
    SETTINGS.write_text(text, encoding="utf-8")
    load_dotenv(SETTINGS, override=True)


def kept() -> str | None:
    """Return what the next page needs to go on from here, as JSON, or None if nothing has changed."""
    global _last_kept
    database = server.database.connection
    state = (database.total_changes, read_settings(), window.session.cookies.get_dict())
    if state == _last_kept:
        return None
    _last_kept = state
    return json.dumps({"accounts": b64encode(database.serialize()).decode(), "settings": state[1], "cookies": state[2]})


def go_on(kept: str) -> None:
    """Take over what another page kept: accounts, ``.env``, and who is logged in."""
    before = json.loads(kept)
    server.serve(Database(":memory:", b64decode(before["accounts"])))
    SETTINGS.write_text(before["settings"], encoding="utf-8")
    window.session.cookies.update(before["cookies"])


def have_token() -> None:
    """Put base URL and token of a new account into the environment, where the samples of the docs look for them."""
    settings_page = SettingsPage(BASE_URL)
    settings_page.sign_up()
    os.environ["LINKED_IS_API_TOKEN"] = settings_page.generate_token(name="This page")
    os.environ["LINKED_IS_BASE_URL"] = BASE_URL


pyodide_kernel.ipython_shell.input = pyodide_kernel.ipython_shell.getpass = no_input
pyodide_kernel.ipython_shell.ask_exit = lambda: None
