"""MkDocs hook that fixes what the theme's markup tells a screen reader. `assets/accessible.js` fixes what scripts add.

tests/test_site_browser.py holds every page against axe.
"""


def on_page_content(html, page, config, files):
    """Take a head cell of a table without a word for a plain one: it heads nothing."""
    return html.replace("<th></th>", "<td></td>")


def on_post_page(output, page, config):
    """Name the search."""
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"', 1)


def on_post_template(output, template_name, config):
    """Do the same for the 404 page, which is no page to MkDocs."""
    return on_post_page(output, None, config) if template_name == "404.html" else output
