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
body = response.json()
if body["success"]:
    for link in body["data"]:
        print(link["shortUrl"], link["clicks"])
else:
    print(body["error"]["code"], "-", body["error"]["message"])
