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
    body = response.json()
except (requests.RequestException, UnicodeError):
    sys.exit(f"No answer from {links}. Start the mock server, or correct .env.")
print(response.status_code, response.reason)
if not body["success"]:
    reasons = "\nThe reasons: docs/reference/why-a-token-stops-working.md" if response.status_code == 401 else ""
    sys.exit(f"{body['error']['code']} - {body['error']['message']}{reasons}")
for link in body["data"]:
    print(link["shortUrl"], link["clicks"])
