import os
import sys

import requests
from dotenv import load_dotenv

load_dotenv()
links = f"{os.getenv('LINKED_IS_BASE_URL', '')}/links"
if "linked.is" in links.lower() and not links.lower().startswith("https:"):
    sys.exit("linked.is needs https: correct LINKED_IS_BASE_URL in .env.")
headers = {"Authorization": f"Bearer {os.getenv('LINKED_IS_API_TOKEN', '')}"}
try:
    response = requests.get(links, headers=headers, timeout=10)
except (requests.RequestException, UnicodeError):
    sys.exit(f"No answer from {links}. Start the mock server, or correct .env.")
limit = int(response.headers["X-RateLimit-Limit"])
remaining = int(response.headers["X-RateLimit-Remaining"])
print("X-RateLimit-Limit:", limit)
print("Remaining is lower:", "yes" if remaining < limit else "no")
