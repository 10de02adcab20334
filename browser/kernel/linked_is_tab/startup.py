"""IPython runs this file when a kernel starts in a tab. What it names is named in a learner's notebook too, so it names nothing."""

__import__("linked_is_tab.server")
