import os
import sys
import time

import requests
from dotenv import load_dotenv

load_dotenv()
links = f"{os.getenv('LINKED_IS_BASE_URL', '')}/links"
headers = {"Authorization": f"Bearer {os.getenv('LINKED_IS_API_TOKEN', '')}"}
try:
    for waits_left in (3, 2, 1, 0):
        response = requests.get(links, headers=headers, timeout=10)
        print("Status:", response.status_code)
        if response.status_code != 429 or waits_left == 0:
            break
        # linked.is doesn't document this header. Without it, wait for the next minute.
        seconds = int(response.headers.get("Retry-After", 60))
        print("Seconds to wait:", seconds)
        time.sleep(seconds)
except (requests.RequestException, UnicodeError):
    sys.exit(f"No answer from {links}. Start the mock server, or correct .env.")
sys.exit(0 if response.ok else 1)
