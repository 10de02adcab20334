"""What a terminal shows in the end, of all that a program wrote to it: progress bars, colours, hyperlinks."""

import re

# What a terminal is told: a sequence with numbers and a letter, a hyperlink or a title, a control; or a text.
TOLD = re.compile(
    r"\x1b\[(?P<number>\d{0,4})(?:;(?P<second>\d{0,4}))?[\d;:<=>?]*[ -/]*(?P<letter>[@-~])|"
    r"\x1b[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|"
    r"(?P<control>[\0-\x08\n-\x1f\x7f-\x9f])|(?P<text>[^\0-\x08\n-\x1f\x7f-\x9f]+)"
)


def shown(text):
    """Return what a terminal shows at the end, without colours, which are made for one background."""
    lines, row, column = [""], 0, 0
    for told in TOLD.finditer(text):
        number, second = (int(told[name] or 0) or 1 for name in ("number", "second"))
        what = told["letter"] or told["control"]
        if piece := told["text"]:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + piece + line[column + len(piece) :]
            column += len(piece)
        elif what in ("\n", "B", "E"):
            row += 1 if what == "\n" else number
            column = column if what == "B" else 0
            lines += [""] * (row + 1 - len(lines))
        elif what in ("A", "F"):
            row = max(0, row - number)
            column = column if what == "A" else 0
        elif what in ("\b", "D"):
            column = max(0, column - number)
        elif what in ("\r", "G"):
            column = number - 1
        elif what == "C":
            column += number
        elif what == "H":
            row, column = number - 1, second - 1
            lines += [""] * (row + 1 - len(lines))
        elif what in ("K", "J"):
            whole = told["number"] in ("2", "3")
            start = " " * (column + 1) + lines[row][column + 1 :] if told["number"] == "1" else lines[row][:column]
            lines[row] = "" if whole else start
            if what == "J" and told["number"] != "1":
                lines[:] = [""] * (row + 1) if whole else lines[: row + 1]
    return "\n".join(lines)
