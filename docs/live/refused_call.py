import requests

BASE_URL = "http://127.0.0.1:8787/v1"
headers = {"Authorization": "Bearer not-a-token"}  # change it, or take it away

response = requests.get(f"{BASE_URL}/links", headers=headers, timeout=10)
print(response.status_code, response.json()["error"])
