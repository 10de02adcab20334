"""Build the course that runs in a browser tab: ``python -m browser.build`` writes it to ``browser/.build/lab``.

JupyterLite is the notebook, Pyodide is Python. Both are served from the site itself, as are all packages: from npm
and PyPI, pinned and hashed. Needs npm. What did not change since the last build is not made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = HERE / ".build"
LAB = BUILD / "lab"
PYTHON = BUILD / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PYODIDE = HERE / "node_modules" / "pyodide"

KERNEL_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
RUNTIME = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
# No wheel on PyPI fits Python in a browser: these are built, without their optional C parts.
FROM_SOURCE = ["markupsafe", "pyyaml"]
# The kernel asks for it, and IPython completes names without it: an empty one saves 5 MB of the first visit.
LEFT_OUT = ("jedi", "0.20.1")
# What is there before the first cell; the rest comes when it is imported.
AT_START = ["micropip", "packaging", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython", "requests",
            "python-dotenv", "tzdata", "beautifulsoup4", "jinja2", "pyyaml", "detect-secrets", "starlette", "linked-is-mock-server", "linked-is-tab"]  # fmt: skip
EPOCH = "1577836800"  # 2020: a wheel of the same files is the same wheel, so a visitor need not load it again


class BuildError(Exception):
    """What kept the tab from being built, and the next step."""


def main() -> int:
    """Build it. Return 0, or 1 if something is missing."""
    if not shutil.which("npm"):
        print("npm is missing, so the course in a browser tab is left out: install Node.js, then run it again.")
        return 0
    try:
        build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in LAB.rglob("*") if path.is_file())
    print(f"The course in a browser tab is in {LAB.relative_to(ROOT)}: {size / 1e6:.0f} MB.")
    return 0


def build() -> None:
    """Make ``LAB`` from the project. Raises BuildError."""
    BUILD.mkdir(exist_ok=True)
    unless_done("tools", [HERE / "requirements-build.txt", HERE / "package-lock.json"], install_tools)
    unless_done("packages", [HERE / "requirements.txt", Path(__file__)], download_packages)
    make_own_wheels()
    make_contents()
    pyodide = BUILD / "static" / "pyodide"
    make_pyodide(pyodide)
    make_snapshot(pyodide)
    make_lab(pyodide)
    make_page()
    run(sys.executable, "-m", "workshop.slides", fresh(BUILD / "slides"), "--run", cwd=ROOT)


def unless_done(name: str, sources: list[Path], make: object) -> None:
    """Call ``make`` unless it was done with the same sources before."""
    stamp = BUILD / f"{name}.stamp"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        stamp.unlink(missing_ok=True)
        make()  # type: ignore[operator]
        stamp.write_text(digest)


def install_tools() -> None:
    """Install JupyterLite into an environment of its own, since it ships every extension that it finds, and Pyodide."""
    venv.create(BUILD / "venv", clear=True, with_pip=True)
    run(PYTHON, "-m", "pip", "install", "--require-hashes", "-r", HERE / "requirements-build.txt")
    run("npm", "ci", "--omit=dev", "--no-audit", "--no-fund", cwd=HERE)
    wanted = run(PYTHON, "-c", "from jupyterlite_pyodide_kernel.constants import *; print(PYODIDE_VERSION)").strip()
    found = json.loads((PYODIDE / "package.json").read_text())["version"]
    if wanted != found:
        raise BuildError(f"The kernel wants Pyodide {wanted}, and browser/package.json has {found}: change it there.")


def download_packages() -> None:
    """Download the packages of the tab, each by its hash."""
    wheels = fresh(BUILD / "wheels")
    sources = ",".join(FROM_SOURCE)
    # Without a compiler they build as pure Python. On their own they would build for this computer.
    run(PYTHON, "-m", "pip", "wheel", "--no-cache-dir", "--no-deps", "--no-binary", sources, "-w", wheels, *pinned(*FROM_SOURCE),
        environment={"CC": "no-compiler", "PYYAML_FORCE_LIBYAML": "0", "SOURCE_DATE_EPOCH": EPOCH})  # fmt: skip
    run(PYTHON, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--python-version", "3.14",
        "--implementation", "cp", "--abi", "none", "--platform", "any", "-d", wheels, *pinned(without=FROM_SOURCE))  # fmt: skip
    for built in wheels.glob("*.whl"):
        if not built.name.endswith("-any.whl"):
            raise BuildError(f"{built.name} is made for one system; a browser needs pure Python.")


def pinned(*names: str, without: list[str] | None = None) -> list[str]:
    """Return pip's options for these packages of ``requirements.txt``, or for all but some, with their hashes."""
    entries = (HERE / "requirements.txt").read_text().replace("\\\n", "").splitlines()
    chosen = [entry for entry in entries if entry and entry[0] not in "# "
              and (entry.split("==")[0] in names if without is None else entry.split("==")[0] not in [*without, LEFT_OUT[0]])]  # fmt: skip
    (BUILD / "chosen.txt").write_text("\n".join(chosen))
    return ["--require-hashes", "-r", str(BUILD / "chosen.txt")]


def make_own_wheels() -> None:
    """Make the wheels of the mock server and of what lets it answer in a tab, and the empty one."""
    own = fresh(BUILD / "own")
    source = fresh(BUILD / "source")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mock_server", source / "server" / "mock_server", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", source / "server")
    shutil.copytree(HERE / "kernel", source / "kernel", ignore=ignored)
    files = source / "kernel" / "linked_is_tab" / "files"
    files.mkdir()
    for name in (".env.example", ".gitignore"):
        shutil.copy(ROOT / name, files / name.removeprefix("."))
    for folder in (source / "server", source / "kernel"):
        run(PYTHON, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", own, folder,
            environment={"SOURCE_DATE_EPOCH": EPOCH})  # fmt: skip
    name, version = LEFT_OUT
    with zipfile.ZipFile(own / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        info = f"{name}-{version}.dist-info"
        for file, text in {
            f"{name}.py": "raise ImportError('left out, to load faster')\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: linked-is\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        }.items():
            wheel.writestr(zipfile.ZipInfo(file), text)


def make_contents() -> None:
    """Put notebooks, without outputs, and pictures where the lab shows them, in the folders that they have in the project."""
    contents = fresh(BUILD / "contents")
    pictures = [path for path in (ROOT / "docs" / "assets").rglob("*") if not path.stem.endswith("-dark")]
    for path in sorted([*(ROOT / "notebooks").rglob("*"), *pictures]):
        if path.suffix in (".ipynb", ".py", ".svg", ".png") and not {".ipynb_checkpoints", "__pycache__"} & set(path.parts):
            target = contents / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".ipynb":
                write_json(target, without_outputs(json.loads(path.read_text(encoding="utf-8"))))
            else:
                shutil.copy(path, target)


def without_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook as if it had never run."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return notebook


def make_pyodide(pyodide: Path) -> None:
    """Put Python, its packages and their list into one folder."""
    fresh(pyodide)
    for name in RUNTIME:
        shutil.copy(PYODIDE / name, pyodide)
    extension = BUILD / "venv" / "share" / "jupyter" / "labextensions" / KERNEL_EXTENSION / "static" / "pypi"
    kernel = [path for name in ("ipykernel", "piplite", "pyodide_kernel") for path in extension.glob(f"{name}-*.whl")]
    wheels = []
    for wheel in [*sorted((BUILD / "wheels").glob("*.whl")), *kernel, *sorted((BUILD / "own").glob("*.whl"))]:
        # A folder named after the content: a visitor's copy from an older release can't take its place.
        folder = pyodide / hashlib.sha256(wheel.read_bytes()).hexdigest()[:10]
        folder.mkdir()
        wheels.append(shutil.copy(wheel, folder))
    run(PYTHON, HERE / "lock.py", PYODIDE / "pyodide-lock.json", pyodide, *wheels)


def make_snapshot(pyodide: Path) -> None:
    """Put what Python starts from quickly beside it: the memory of one that has imported what is there at the start."""
    start, made = HERE / "start", BUILD / "start"
    shutil.copy(start / "start.mjs", pyodide)

    def make() -> None:
        index: list[tuple[str, int, int]] = []
        files = bytearray()
        for package in at_start(json.loads((pyodide / "pyodide-lock.json").read_text())["packages"]):
            with zipfile.ZipFile(pyodide / package["file_name"]) as wheel:
                for file in wheel.infolist():
                    if not file.is_dir():
                        index.append((file.filename, len(files), file.file_size))
                        files += wheel.read(file)
        fresh(made)
        write_json(BUILD / "files.json", index)
        (BUILD / "files").write_bytes(files)
        run("node", start / "make.mjs", pyodide, made, BUILD / "files.json", BUILD / "files", BUILD / "contents" / "notebooks",
            environment={"TZ": "UTC"})  # fmt: skip

    unless_done("start", [pyodide / "pyodide-lock.json", *sorted(start.iterdir())], make)
    shutil.copytree(made, pyodide, dirs_exist_ok=True)


def at_start(packages: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the packages of a lock that are there before the first cell, and what they need."""
    names = list(AT_START)
    for name in names:  # it grows on the way
        names += [needed for needed in packages[name]["depends"] if needed not in names]
    return [packages[name] for name in names]


def make_lab(pyodide: Path) -> None:
    """Build JupyterLite over it."""
    lock = hashlib.sha256((pyodide / "pyodide-lock.json").read_bytes()).hexdigest()[:10]
    options = {
        "lockFileURL": f"./static/pyodide/pyodide-lock.json?v={lock}",
        "packages": AT_START,
        "env": {"PYTHONSTARTUP": "/lib/python3.14/site-packages/linked_is_tab/startup.py"},
    }
    settings = {f"{KERNEL_EXTENSION}:kernel": {"disablePyPIFallback": True, "loadPyodideOptions": options}}
    data = {
        "appName": "linked.is authentication kit",
        "exposeAppInBrowser": True,
        "litePluginSettings": settings,
        # A copy that a visitor's browser keeps would hide the next release of a notebook.
        "contentsStorageName": f"linked.is {release()}",
        # The last two show words beside the menus, which have no room for them on a telephone. The line above says more.
        "disabledExtensions": [
            "@jupyterlab/apputils-extension:announcements",
            "@jupyter-notebook/notebook-extension:kernel-status",
            "@jupyter-notebook/notebook-extension:trusted",
        ],
        # Light or dark, like the page around it: a frame takes over the scheme.
        "settingsOverrides": {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}},
    }
    write_json(BUILD / "jupyter-lite.json", {"jupyter-lite-schema-version": 0, "jupyter-config-data": data})
    write_json(BUILD / "jupyter_lite_config.json", {"LiteBuildConfig": {
        "apps": ["notebooks", "lab", "repl"],
        "contents": ["contents"],
        "output_dir": "lab",
        "federated_extensions": [str(BUILD / "venv" / "share" / "jupyter" / "labextensions" / KERNEL_EXTENSION)],
        "ignore_sys_prefix": ["federated_extensions"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
    }})  # fmt: skip
    # Its memory of earlier builds skips the settings when only they have changed.
    for memory in BUILD.glob(".jupyterlite.doit.db*"):
        memory.unlink()
    fresh(LAB)
    run(PYTHON, "-m", "jupyterlite_core.app", "build", cwd=BUILD)
    merged = json.loads((LAB / "jupyter-lite.json").read_text())
    kernel = merged["jupyter-config-data"]["litePluginSettings"][f"{KERNEL_EXTENSION}:kernel"]
    if kernel["loadPyodideOptions"] != options:
        raise BuildError("JupyterLite did not take over the settings.")
    kernel["pyodideUrl"] = "./static/pyodide/start.mjs"  # JupyterLite writes where it found Pyodide, whatever a setting says
    write_json(LAB / "jupyter-lite.json", merged)


def make_page() -> None:
    """Put together what lets the pages of the site run their cells."""
    page = BUILD / "page"
    shutil.rmtree(page, ignore_errors=True)
    shutil.copytree(HERE / "page", page)
    esbuild = HERE / "node_modules" / ".bin" / "esbuild"
    run(
        esbuild, HERE / "page" / "editor.mjs", "--bundle", "--minify", "--format=esm", "--outdir=page", "--out-extension:.js=.mjs"
    )


def release() -> str:
    """Return a name for these notebooks: it changes when one of them does."""
    files = sorted(path for path in (BUILD / "contents").rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:10]


def fresh(folder: Path) -> Path:
    """Return the folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_json(path: Path, content: object) -> None:
    """Write JSON that a person can read."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def run(*command: object, cwd: Path = BUILD, environment: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed. Raises BuildError with what it said."""
    program, *arguments = map(str, command)
    program = shutil.which(program) or program  # npm is a script with an ending of its own on Windows
    ended = subprocess.run(
        [program, *arguments], cwd=cwd, env={**os.environ, **(environment or {})}, capture_output=True, text=True
    )
    if ended.returncode:
        raise BuildError(f"{Path(program).name} {' '.join(arguments)} failed:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


if __name__ == "__main__":
    sys.exit(main())
