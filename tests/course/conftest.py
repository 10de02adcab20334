"""What the tests of the course share."""

import threading

import pytest
import uvicorn

from mock_server import tokens
from mock_server.app import Settings, create_app
from mock_server.clock import Clock
from mock_server.database import Database
from mock_server.store import Store
from tools.running import wait_until


@pytest.fixture
def witness(tmp_path, monkeypatch):
    """A mock server whose tokens the test knows: yields its base URL, the tokens, the log, the database file."""
    minted, log, mint = [], [], tokens.mint

    def mint_and_tell():
        minted.append(mint())
        return minted[-1]

    monkeypatch.setattr(tokens, "mint", mint_and_tell)
    database = Database(str(tmp_path / "mock.db"))
    app = create_app(Store(database, Clock()), Settings(log=log.append))
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", ws="none", log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1", minted, log, tmp_path / "mock.db"
    server.should_exit = True
    thread.join()
    database.close()
