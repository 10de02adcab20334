"""Measure how the site's build grows, beside plain Markdown, mkdocs-jupyter and Sphinx: ``python -m bench.site``."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bench.process import CannotMeasure
from bench.report import Figure, Target, circumstances, divide, spread, table, verdicts
from bench.rounds import show
from tools.running import ROOT

ENVIRONMENT = Path(__file__).parent / ".venv"
COURSE = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTER = 10  # notebooks in a section of the navigation
FIRST = f"../chapter-01/001{COURSE[0].name[2:]}"  # where the links of a copy lead
HOME = "# Home\n\nA site that grows.\n"
LINK_OR_NUMBER = re.compile(r"\]\((?P<link>[^)]*)\)|\d+")

OURS, PLAIN, JUPYTER, SPHINX = "this site", "plain Markdown", "mkdocs-jupyter", "Sphinx, MyST-NB"
NOTES = """\
Median (lowest..highest) of the processor time of a whole build. A page costs what a build takes longer than one without
notebooks, divided by their number. Ratios are taken round by round.
The notebooks are the course's, again and again, each time with other numbers in them; ten are a section of the navigation.
Plain Markdown is the text that this site publishes of the same notebooks, built by MkDocs and Material without a hook.
mkdocs-jupyter and MyST-NB run no notebook either, and have no cache: each build begins in an empty folder."""


@dataclass
class Builder:
    """A way to build a site. ``prepare`` writes the project into a folder; ``command`` builds it into ``site`` there."""

    name: str
    prepare: Callable[[Path, int], None]
    command: list[str]
    seconds: dict[int, list[float]] = field(default_factory=dict)  # number of notebooks → processor time, each round

    def page(self, count: int) -> list[float]:
        """Return the milliseconds that a page cost, each round."""
        return [1000 * (many - none) / count for many, none in zip(self.seconds[count], self.seconds[0], strict=True)]


def main() -> int:
    """Measure and print. Return 0, or 1 if something could not be measured."""
    options = parse()
    busy = os.getloadavg()[0]
    try:
        with tempfile.TemporaryDirectory(prefix="bench-site-") as folder:
            builders, versions, left_out = measure(Path(folder), options)
    except CannotMeasure as error:
        show("")
        print(f"Not measured. {error}", file=sys.stderr)
        return 1
    print(growth(builders, options.notebooks))
    print("\n" + verdicts(figures(builders, options.notebooks)))
    print(f"\n{NOTES}\n{versions}. No kernel was started.\n{circumstances(options.rounds, busy, left_out)}")
    return 0


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.site",
        description="Measure how the site's build grows with the number of notebooks. The first run installs the peers.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--notebooks", type=int, nargs="+", default=[10, 50, 200], metavar="N", help="how many")
    parser.add_argument("--rounds", type=int, default=3, help="how often each builds each number")
    parser.add_argument("--skip-peers", action="store_true", help="leave mkdocs-jupyter and Sphinx out")
    options = parser.parse_args()
    options.notebooks.sort()
    if min(options.rounds, *options.notebooks) < 1:
        parser.error("--notebooks and --rounds must be 1 or more")
    return options


def measure(folder: Path, options: argparse.Namespace) -> tuple[list[Builder], str, list[str]]:
    """Build each number of notebooks with each builder, round after round.

    Return the builders, their versions, and what was left out. Raises CannotMeasure.
    """
    mkdocs = ["-m", "mkdocs", "build", "--quiet"]
    builders = [
        Builder(OURS, prepare_ours, [sys.executable, *mkdocs, "--strict"]),
        Builder(PLAIN, prepare_plain, [sys.executable, *mkdocs, "--strict"]),
    ]
    versions = installed(sys.executable, "mkdocs", "mkdocs-material")
    left_out = []
    if not options.skip_peers:
        try:
            peer = install()
        except CannotMeasure as error:
            left_out.append(str(error))
        else:
            builders += [
                Builder(JUPYTER, prepare_jupyter, [peer, *mkdocs]),
                Builder(SPHINX, prepare_sphinx, [peer, "-m", "sphinx", "-q", "-b", "html", ".", "site"]),
            ]
            versions += ", " + installed(peer, "mkdocs-jupyter", "myst-nb", "sphinx")
    counts = [0, *options.notebooks]
    for count in counts:
        for builder in builders:
            show(f"writing {count} notebooks for {builder.name}")
            project = folder / builder.name / str(count)
            project.mkdir(parents=True)
            builder.prepare(project, count)
    for number in range(options.rounds):
        for count in counts:
            for builder in builders:
                show(f"round {number + 1} of {options.rounds}: {count} notebooks, {builder.name}")
                seconds = build(builder, folder / builder.name / str(count), count)
                builder.seconds.setdefault(count, []).append(seconds)
    show("")
    return builders, versions, left_out


def install() -> str:
    """Return the Python of an environment with the peers, which is made if need be. Raises CannotMeasure."""
    python = ENVIRONMENT / "bin" / "python"
    wanted = (Path(__file__).parent / "requirements.txt").read_text(encoding="utf-8")
    done = ENVIRONMENT / "requirements.txt"
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        print("Installing mkdocs-jupyter and Sphinx from PyPI …", flush=True)
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
            [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(Path(__file__).parent / "requirements.txt")],
        ]
        if any(subprocess.run(command, check=False).returncode for command in commands):
            raise CannotMeasure("mkdocs-jupyter and Sphinx: pip could not install them.")
        done.write_text(wanted, encoding="utf-8")
    return str(python)


def installed(python: str, *packages: str) -> str:
    """Return the packages with their versions."""
    code = "import sys, importlib.metadata as m; print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))"
    return subprocess.run([python, "-c", code, *packages], capture_output=True, text=True, check=True).stdout.strip()


def build(builder: Builder, project: Path, count: int) -> float:
    """Build a site; return the seconds of processor time. Raises CannotMeasure if it failed or started a kernel."""
    shutil.rmtree(project / "site", ignore_errors=True)
    trap = project / "trap"
    trap.mkdir(exist_ok=True)
    (trap / "ipykernel_launcher.py").write_text("open(__file__ + '.started', 'w').close()", encoding="utf-8")
    path = os.pathsep.join([str(trap), str(ROOT)])
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": path}
    with (project / "log").open("wb") as log:
        process = subprocess.Popen(builder.command, cwd=project, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    pages = len([*(project / "site").rglob("[0-9]*-*.html"), *(project / "site").rglob("[0-9]*-*/index.html")])
    if process.returncode or pages != count:
        said = (project / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise CannotMeasure(f"{builder.name} built {pages} of {count} pages. {said}")
    if list(trap.glob("*.started")):
        raise CannotMeasure(f"{builder.name} started a kernel.")
    return usage.ru_utime + usage.ru_stime


def write_notebooks(folder: Path, count: int) -> None:
    """Write so many notebooks: the course's in turn, each copy with other numbers and with links among the copies."""
    for number in range(1, count + 1):
        source = COURSE[(number - 1) % len(COURSE)]

        def other(found: re.Match[str], number: int = number) -> str:
            if found["link"] is None:
                return str(int(found[0]) + number)
            return found[0] if found["link"].startswith("http") else f"]({FIRST})"

        notebook = json.loads(source.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = LINK_OR_NUMBER.sub(other, "".join(cell["source"]))
            for output in cell.get("outputs", []):
                output["text"] = LINK_OR_NUMBER.sub(other, "".join(output["text"]))
        path = folder / f"chapter-{1 + (number - 1) // CHAPTER:02}" / f"{number:03}{source.name[2:]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


def prepare_ours(project: Path, count: int) -> None:
    """Write a project with this site's settings, theme and steps."""
    for name in ("docs/assets", "publish"):
        shutil.copytree(ROOT / name, project / name)
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / "docs" / "how-to").mkdir()
    for name in ("index", "review", "quickstart", "how-to/run-the-course-elsewhere"):  # the notebooks lead there
        (project / "docs" / f"{name}.md").write_text(HOME, encoding="utf-8")
    settings = f"INHERIT: {ROOT / 'mkdocs.yml'}\nnav:\nnot_in_nav:\nwatch: []\n"
    (project / "mkdocs.yml").write_text(settings, encoding="utf-8")
    write_notebooks(project / "notebooks", count)


def prepare_plain(project: Path, count: int) -> None:
    """Write a project of the Markdown that ours publishes, with the same settings and no hook."""
    ours = project.parent.parent / OURS / str(count)
    build(Builder(OURS, prepare_ours, [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict"]), ours, count)
    shutil.copytree(ours / "site", project / "docs", ignore=lambda folder, names: leave_out_files(folder, names, ".md"))
    shutil.copytree(ROOT / "docs" / "assets", project / "docs" / "assets", dirs_exist_ok=True)
    (project / "theme").mkdir()
    theme = "theme: {custom_dir: theme, static_templates: []}\nexclude_docs:\n"
    settings = f"INHERIT: {ROOT / 'mkdocs.yml'}\nnav:\nnot_in_nav:\nwatch: []\nhooks: []\n{theme}"
    (project / "mkdocs.yml").write_text(settings, encoding="utf-8")


def leave_out_files(folder: str, names: list[str], but: str) -> list[str]:
    """Return the files without this ending, for a copy without them."""
    return [name for name in names if not name.endswith(but) and (Path(folder) / name).is_file()]


def prepare_jupyter(project: Path, count: int) -> None:
    """Write a project of Material with mkdocs-jupyter as it comes, but for what runs or keeps something."""
    (project / "docs").mkdir()
    (project / "docs" / "index.md").write_text(HOME, encoding="utf-8")
    plugin = '{mkdocs-jupyter: {include: ["*.ipynb"], execute: false, cache: false}}'
    settings = f"site_name: Growth\ntheme: {{name: material, font: false}}\nplugins: [search, {plugin}]\n"
    (project / "mkdocs.yml").write_text(settings, encoding="utf-8")
    write_notebooks(project / "docs" / "notebooks", count)


def prepare_sphinx(project: Path, count: int) -> None:
    """Write a project of Sphinx with MyST-NB and Sphinx's own theme, the lightest."""
    settings = "project = 'Growth'\nextensions = ['myst_nb']\nnb_execution_mode = 'off'\nexclude_patterns = ['site', 'trap']\n"
    (project / "conf.py").write_text(settings, encoding="utf-8")
    chapters = sorted({f"notebooks/chapter-{1 + number // CHAPTER:02}" for number in range(count)})
    lists = "".join(f"\n```{{toctree}}\n:glob:\n:caption: {chapter[-10:]}\n{chapter}/*\n```\n" for chapter in chapters)
    (project / "index.md").write_text(HOME + lists, encoding="utf-8")
    write_notebooks(project / "notebooks", count)


def growth(builders: list[Builder], counts: list[int]) -> str:
    """Return the table of what a build and a page cost."""
    rows = [["", "without, s", *(heading for count in counts for heading in (f"{count}, s", "a page, ms"))]]
    for builder in builders:
        cells = [spread(builder.seconds[0])]
        for count in counts:
            cells += [spread(builder.seconds[count]), spread(builder.page(count))]
        rows.append([builder.name, *cells])
    return table(rows)


def figures(builders: list[Builder], counts: list[int]) -> list[Figure]:
    """Return the ratios of this site's build."""
    ours, plain, *peers = builders
    found = [
        Figure(f"a page of {many} / a page of {few}", divide(ours.page(many), ours.page(few)), Target("<=", 1.2))
        for few, many in pairwise(counts)
    ]
    for count in counts:
        found.append(
            Figure(f"a page of {count}, {OURS} / {PLAIN}", divide(ours.page(count), plain.page(count)), Target("<=", 1.5))
        )
    for peer in peers:
        for count in counts:
            found.append(Figure(f"a page of {count}, {OURS} / {peer.name}", divide(ours.page(count), peer.page(count))))
    return found


if __name__ == "__main__":
    sys.exit(main())
