"""Show the mock server's pages below the Jupyter server's address, as `mock-server/`.

`binder/start` names this file to Jupyter.
"""

import os

c = get_config()  # noqa: F821 - Jupyter defines it
c.ServerProxy.servers = {
    "mock-server": {
        "command": [],  # it runs already
        "port": int(os.environ["LINKED_IS_MOCK_SERVER_PORT"]),
        "launcher_entry": {"title": "Settings > API", "path_info": "mock-server/settings/api"},
    }
}
