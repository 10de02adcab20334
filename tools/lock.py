"""Compile what each reader needs: ``python -m tools.lock``.

The readers are a learner, a maker of the site, and who proves it all. Each package is in the file of the first reader who needs
it, with its hashes, and the file of the next one begins with that file: so no version is there twice. ``requirements.txt`` at the
top is for a person with pip and one command. It has no hashes: pip takes no editable install beside them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
READERS = ("learn", "site", "test")  # each has what the ones before it have
HEADER = "# Written by `make lock` from {}. Don't edit it.\n"
EVERYWHERE = ("--universal", "--python-version", "3.11")
IN_A_TAB = ("--python-platform", "wasm32-pyodide2024", "--python-version", "3.14")  # of Pyodide in browser/package.json
# What stands alone, and where it is installed.
ALONE = {
    "requirements/uv.in": EVERYWHERE,
    "bench/requirements.in": EVERYWHERE,
    "browser/requirements-build.in": EVERYWHERE,
    "browser/requirements.in": IN_A_TAB,
}
ENTRY = re.compile(r"^(\S+?)==.*(?:\n    --hash=.*)*\n", re.MULTILINE)


def compiled(*sources: Path, to: Path, where: Sequence[str] = EVERYWHERE, options: Sequence[str]) -> str:
    """Return the packages that sources ask for, in the versions of the file ``to`` where they fit. Raises CalledProcessError."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-annotate", "--no-header"]
    command += [*where, *options, "--output-file", str(to)]
    subprocess.run([*command, *map(str, sources)], cwd=ROOT, check=True)
    return to.read_text(encoding="utf-8")


def main(*options: str) -> None:
    """Write all files. ``--upgrade`` takes the newest versions."""
    sources = [ROOT / "pyproject.toml", *(FOLDER / f"{reader}.in" for reader in READERS)]
    written = {reader: FOLDER / f"{reader}.txt" for reader in READERS}
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder, "whole.txt"), Path(folder, "part.txt")
        before = "".join(written[reader].read_text(encoding="utf-8") for reader in READERS)
        whole.write_text("".join(entry[0] for entry in ENTRY.finditer(before)), encoding="utf-8")
        compiled(*sources, to=whole, options=("--generate-hashes", *options))
        same = ("--constraint", str(whole))
        known: set[str] = set()
        for number, reader in enumerate(READERS, 2):
            part.unlink(missing_ok=True)
            text = compiled(*sources[:number], to=part, options=("--generate-hashes", *same))
            new = [found[0] for found in ENTRY.finditer(text) if found[0] not in known]
            known.update(new)
            first = f"-r {READERS[number - 3]}.txt\n" if number > 2 else ""
            written[reader].write_text(HEADER.format(f"requirements/{reader}.in") + first + "".join(new), encoding="utf-8")
        for name, where in ALONE.items():
            to = (ROOT / name).with_suffix(".txt")
            text = compiled(ROOT / name, to=to, where=where, options=("--generate-hashes", *options))
            to.write_text(HEADER.format(name) + text, encoding="utf-8")
        part.unlink()
        text = compiled(ROOT / "requirements.in", to=part, options=same)
        (ROOT / "requirements.txt").write_text(HEADER.format("requirements.in") + text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
