"""Fix what the theme's markup tells a screen reader. `assets/accessible.js` fixes what scripts add.

tests/publish/test_site_browser.py holds every page against axe.
"""

from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

# A narrow screen shows each row as a block. To some screen readers, it is no table then unless its roles say so.
ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "th": "columnheader", "td": "cell"}


def label_cells(config):
    """Let every table say what its cells are."""
    config.markdown_extensions.append(Tables())


class Tables(Extension):
    """Gives each cell of a table the words that head its column."""

    def extendMarkdown(self, md):
        """Add it to a reader of Markdown."""
        md.treeprocessors.register(TableProcessor(md), "tables", 15)  # After the inline Markdown is read, at 20.


class TableProcessor(Treeprocessor):
    """Looks for tables."""

    def run(self, root):
        """Change them in the tree of a page."""
        for table in root.iter("table"):
            heads = ["".join(cell.itertext()) for cell in table.iter("th")]
            for row in table.iter("tr"):
                for head, cell in zip(heads, row, strict=False):
                    if not head:
                        cell.tag = "td"  # It heads nothing.
                    elif cell.tag == "td":
                        cell.set("data-label", head)
            for element in table.iter():
                if element.tag in ROLES:
                    element.set("role", ROLES[element.tag])


def name_the_search(output, page, config):
    """Name the search."""
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"', 1)


def name_the_search_of_404(output, template_name, config):
    """Do the same for the 404 page, which is no page to MkDocs."""
    return name_the_search(output, None, config) if template_name == "404.html" else output
