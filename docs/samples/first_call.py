import os

import requests
from dotenv import load_dotenv

load_dotenv()
response = requests.get(
    f"{os.environ['LINKED_IS_BASE_URL']}/links",
    headers={"Authorization": f"Bearer {os.environ['LINKED_IS_API_TOKEN']}"},
    timeout=10,
)
print(response.status_code, response.reason)
for link in response.json().get("data", []):
    print(link["shortUrl"], link["clicks"])
