import subprocess
import sys

from mock_server.testing import linked_is

with linked_is():  # the environment has the base URL and the token
    sys.exit(subprocess.run(sys.argv[1:]).returncode)
