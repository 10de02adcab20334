import requests
from mock_server.settings_page import SettingsPage

BASE_URL = "http://127.0.0.1:8787/v1"
page = SettingsPage(BASE_URL)  # presses the buttons of Settings > API
page.sign_up()
token = page.generate_token()

headers = {"Authorization": f"Bearer {token}"}
response = requests.get(f"{BASE_URL}/links", headers=headers, timeout=10)
print(response.status_code, response.reason)
for link in response.json()["data"]:
    print(link["slug"], link["clicks"])
