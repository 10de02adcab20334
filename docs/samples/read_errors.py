import os
import sys

import requests
from dotenv import load_dotenv

load_dotenv()
links = f"{os.getenv('LINKED_IS_BASE_URL', '')}/links"
attempts = {"No token": {}, "A wrong token": {"Authorization": "Bearer this-is-no-token"}}
try:
    for name, headers in attempts.items():
        response = requests.get(links, headers=headers, timeout=10)
        print(f"{name}: {response.status_code} {response.json()['error']['code']}")
except requests.RequestException:
    sys.exit(f"No answer from {links}. Start the mock server, or correct .env.")
