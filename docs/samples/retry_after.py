import os
import random
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

import requests
from dotenv import load_dotenv

LONGEST_WAIT = 60  # seconds


def seconds_to_wait(response, default):
    """Return the seconds of the body, or of the header (a number or a date), or the default."""
    header = response.headers.get("Retry-After", "")
    with suppress(KeyError, TypeError, ValueError):
        return ceil(response.json()["error"]["retryAfter"])
    with suppress(ValueError):
        return int(header)
    with suppress(TypeError, ValueError):
        return ceil((parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    return default


load_dotenv()
links = f"{os.getenv('LINKED_IS_BASE_URL', '')}/links"
if "linked.is" in links.lower() and not links.lower().startswith("https:"):
    sys.exit("linked.is needs https: correct LINKED_IS_BASE_URL in .env.")
headers = {"Authorization": f"Bearer {os.getenv('LINKED_IS_API_TOKEN', '')}"}
try:
    for waits in range(4):
        response = requests.get(links, headers=headers, timeout=10)
        print("Status:", response.status_code)
        if response.status_code not in (429, 503) or waits == 3:
            break
        seconds = max(1, seconds_to_wait(response, default=2**waits))
        if seconds > LONGEST_WAIT:
            sys.exit(f"Come back in {seconds} seconds.")
        print("Seconds to wait:", seconds)
        time.sleep(seconds + random.random())  # so that not all programs come back at once
except (requests.RequestException, UnicodeError):
    sys.exit(f"No answer from {links}. Start the mock server, or correct .env.")
sys.exit(0 if response.ok else 1)
