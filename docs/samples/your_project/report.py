import os

import requests


def count_clicks():
    """Return the clicks of all links on the first page together. Raises requests.HTTPError, ValueError."""
    links = f"{os.environ['LINKED_IS_BASE_URL']}/links"
    if "linked.is" in links.lower() and not links.lower().startswith("https:"):
        raise ValueError("linked.is needs https: correct LINKED_IS_BASE_URL.")
    token = os.environ["LINKED_IS_API_TOKEN"]
    if not (token.isascii() and token.isprintable()):  # the error of requests would quote it
        raise ValueError("LINKED_IS_API_TOKEN has a character that can't be sent.")
    headers = {"Authorization": f"Bearer {token}"}
    response = requests.get(links, headers=headers, timeout=10)
    response.raise_for_status()
    return sum(link["clicks"] for link in response.json()["data"])
