"""Settings > API beside the notebook: the page around the notebook asks, the mock server in the kernel answers.

The two talk over a Jupyter comm. The browser's part is `browser/shell/shell.js`. A page of the site asks `page.py`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, quote, urljoin

import requests
from bs4 import BeautifulSoup, Script, Stylesheet, Tag

COMM = "linked-is-settings"


def open_to_the_page(base_url: SplitResult) -> None:
    """Answer each window that the page around the notebook opens."""
    from IPython import get_ipython

    def answer(comm: Any, opening: dict[str, Any]) -> None:
        window = Window(f"{base_url.scheme}://{base_url.netloc}")

        def asked(message: dict[str, Any]) -> None:
            request = message["content"]["data"]
            comm.send({"html": window.open(request["path"], request.get("form"))})

        comm.on_msg(asked)

    get_ipython().kernel.comm_manager.register_target(COMM, answer)


class Window:
    """One window onto the mock server's pages, with cookies of its own."""

    def __init__(self, origin: str) -> None:
        self.address = f"{origin}/"
        self.session = requests.Session()

    def open(self, path: str, form: dict[str, str] | None = None) -> str:
        """Open a page, as linked from the one before, or send a form to it; return that page in one piece."""
        method = "GET" if form is None else "POST"
        answer = self.session.request(method, urljoin(self.address, path), data=form, timeout=10)
        self.address = answer.url
        return self._in_one_piece(answer.text)

    def _in_one_piece(self, html: str) -> str:
        """Return a page with its style sheet, script and pictures in it: the window has no server to ask."""
        page = BeautifulSoup(html, "html.parser")
        for link in page.select("link[rel=stylesheet]"):
            link.replace_with(element("style", Stylesheet(self._text(link["href"]))))
        for script in page.select("script[src]"):
            script.replace_with(element("script", Script(self._text(script["src"]))))
        for picture in page.select("img[src]"):
            picture["src"] = "data:image/svg+xml," + quote(self._text(picture["src"]))
        for link in page.select("link[rel=icon], footer a[href$='/docs']"):
            link.decompose()
        return str(page)

    def _text(self, path: Any) -> str:
        return self.session.get(urljoin(self.address, str(path)), timeout=10).text


def element(name: str, text: Script | Stylesheet) -> Tag:
    """Return an element whose text is not to be escaped."""
    tag = Tag(name=name)
    tag.append(text)
    return tag
