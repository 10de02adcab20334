import os
import sys

import requests
from dotenv import load_dotenv

load_dotenv()
links = f"{os.getenv('LINKED_IS_BASE_URL', '')}/links"
if "linked.is" in links.lower() and not links.lower().startswith("https:"):
    sys.exit("linked.is needs https: correct LINKED_IS_BASE_URL in .env.")
headers = {"Authorization": f"Bearer {os.getenv('LINKED_IS_API_TOKEN', '')}"}
new_link = {"url": "https://example.com/summer-menu", "title": "Summer menu"}
try:
    made = requests.post(links, headers=headers, json=new_link, timeout=10)
    body = made.json()
    if not body["success"]:
        sys.exit(f"{body['error']['code']} - {body['error']['message']}")
    link = body["data"]
    print(f"Made: {made.status_code}, {link['title']}, leads to {link['url']}, {link['clicks']} clicks")
    deleted = requests.delete(f"{links}/{link['id']}", headers=headers, timeout=10)
    print("Deleted:", deleted.status_code)
except (requests.RequestException, UnicodeError):
    sys.exit(f"No answer from {links}. Start the mock server, or correct .env.")
