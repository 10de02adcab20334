"""Let pictures follow the colour scheme of the site.

A page says `![text](assets/name.svg)`, which JupyterLab and GitHub read too. But in an `<img>`, a drawing follows the
system, not the switch in the header. So a drawing becomes a part of the page, and the text its label. A screenshot has
its colours for good: beside `name.png` the page gets `name-dark.png`, and the theme shows one of the two.
"""

import logging
import os
import re
import struct
from pathlib import Path
from urllib.parse import urljoin

# `--strict` counts the warnings of loggers below `mkdocs`.
log = logging.getLogger("mkdocs.plugins.pictures")

SHOWN = 3 / 8  # Screenshots have two pixels for one of the page they show, and are shown at three quarters of its size.


def put_in_drawings(html, page, config, files):
    """Replace the pictures of a page that are files of the site."""

    def replacement(found):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', found[0]))
        address, text = attributes["src"], attributes.get("alt")
        if not text:
            log.warning("Page '%s' has a picture without a text: '%s'.", page.file.src_uri, address)
        name, kind = os.path.splitext(urljoin(f"/{page.url}", address)[1:])
        file = files.get_file_from_path(name + kind)
        if file and kind == ".svg":
            return drawing(file.content_string, text)
        if file and kind == ".png" and files.get_file_from_path(f"{name}-dark.png"):
            return screenshot(Path(file.abs_src_path), address, text)
        return found[0]

    return re.sub(r"<img\b[^>]*>", replacement, html)


def drawing(svg, text):
    """Return a drawing as a part of the page, which search leaves out: what it says, the page says."""
    label = f'<svg role="img" aria-label="{text}" data-search-exclude="true"'
    return svg.replace('<svg xmlns="http://www.w3.org/2000/svg"', label)


def screenshot(path, address, text):
    """Return a screenshot, light and dark. It is loaded when it gets into view; its size keeps the place free."""
    width, height = (round(pixels * SHOWN) for pixels in struct.unpack(">II", path.read_bytes()[16:24]))
    return "".join(
        f'<img alt="{text}" src="{source}" width="{width}" height="{height}" loading="lazy">'
        for source in (f"{address}#only-light", f"{address.removesuffix('.png')}-dark.png#only-dark")
    )
