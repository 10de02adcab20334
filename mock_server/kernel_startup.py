"""Run by IPython when a kernel starts: after a NameError, say which cells to run.

A cell of the notebook can't see to that: a kernel that was restarted in the middle has run none of them.
"""

from typing import Any

from IPython import get_ipython


def say_which_cells(done: Any) -> None:
    """Look at what IPython says of a cell that has run."""
    if type(done.error_in_exec) is NameError:
        name = done.error_in_exec.name
        above = f"If a cell above defines {name}, click into this cell"
        print(f"{above}, choose Run > Run All Above Selected Cell, then run this cell again.")


get_ipython().events.register("post_run_cell", say_which_cells)
del Any, say_which_cells  # from the names of the notebook
