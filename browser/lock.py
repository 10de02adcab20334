"""Write the list of packages that Pyodide loads: ``python lock.py <Pyodide's own list> <folder> <wheel>…``

It runs in the environment of the build, which has ``pyodide_lock``.
"""

import json
import sys
from pathlib import Path

from pyodide_lock import PyodideLockSpec
from pyodide_lock.utils import add_wheels_to_spec

original, folder, *wheels = map(Path, sys.argv[1:])
info = json.loads(original.read_text(encoding="utf-8"))["info"]
empty = PyodideLockSpec(info={"version": "", **info}, packages={})
# It refuses a wheel for another Python, and one whose requirement is missing.
added = add_wheels_to_spec(empty, wheels, base_path=folder)
content = {"info": info, "packages": added.model_dump()["packages"]}
(folder / "pyodide-lock.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
