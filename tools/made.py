"""What tasks, tools and people make beside what belongs to the project. Needs no package: whatever makes a copy asks it."""

from pathlib import Path

# The names of .gitignore.
MADE = [
    line.strip("/").rpartition("/")[2]
    for line in (Path(__file__).parent.parent / ".gitignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
