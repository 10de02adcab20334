"""A mock of linked.is: its API, its Settings > API page, and controls for lessons.

Start it with ``python -m mock_server``. Nothing here talks to linked.is.
"""
