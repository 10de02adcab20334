"""MkDocs' one hook: all that happens to this site besides what its plugins do, in the order in which it happens.

A step is a plain function of the module that it stands in. It takes what MkDocs has, changes it or returns what takes its
place; None leaves it as it is. MkDocs asks its plugins before this hook, but where a priority is given.
"""

import sys
from pathlib import Path

from mkdocs.plugins import CombinedEvent, event_priority

sys.path.insert(0, str(Path(__file__).parent.parent))  # MkDocs looks for modules in the folder of this file only

from publish import (
    accessible,
    api_reference,
    course,
    links,
    notebooks,
    pictures,
    publishing,
    questions,
    reference,
    search,
    tab,
)


def steps(*functions):
    """Return a function that calls these, each with what the one before it made."""

    def take(thing, **more):
        for step in functions:
            made = step(thing, **more)
            thing = thing if made is None else made
        return thing

    return take


# The settings
on_config = steps(
    notebooks.teach_markdown,
    accessible.label_cells,
    course.list_lessons,
    publishing.know_the_release,
)
on_pre_build = api_reference.read_the_contract_again

# The files, before and after mkdocs-jupyter makes pages of notebooks, and the navigation
on_files = CombinedEvent(
    event_priority(100)(notebooks.mount),
    steps(
        publishing.publish_contract,
        notebooks.lead_to_source,
        course.let_lessons_stand_for_steps,
    ),
)
on_nav = course.lead_past_solutions

# A page as Markdown
on_pre_page = notebooks.take_back
on_page_read_source = notebooks.read_notebook
on_page_markdown = steps(
    links.lead_to_notebooks,  # first: all others write links as on the site
    questions.ask_questions,
    reference.write_tables,
    api_reference.write_operations,
    course.write_course,
    tab.write_live_programs,
    publishing.publish_markdown,  # last: what is published is whole
)

# A page as HTML
on_page_content = steps(
    notebooks.put_in_cells,
    search.rank,
    pictures.put_in_drawings,
    tab.let_code_run,
    publishing.describe,
)
on_page_context = publishing.say_what_it_is
on_post_page = accessible.name_the_search

# What is no page
on_template_context = publishing.lead_home_from_404
on_post_template = accessible.name_the_search_of_404
on_post_build = tab.copy_tab
