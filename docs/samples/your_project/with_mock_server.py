import os
import subprocess
import sys

from mock_server.settings_page import SettingsPage

start = [sys.executable, "-m", "mock_server", "--port", "0", "--database", ":memory:", "--quiet"]
with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as server:
    base_url = server.stdout.readline().split("API base URL: ")[1].split()[0]
    page = SettingsPage(base_url)
    page.sign_up()
    settings = {"LINKED_IS_BASE_URL": base_url, "LINKED_IS_API_TOKEN": page.generate_token(name="Test")}
    tests = subprocess.run(sys.argv[1:], env=os.environ | settings)
    server.terminate()
sys.exit(tests.returncode)
