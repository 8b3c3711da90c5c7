"""By hand, until Ctrl-C: python tests/support/wandb_server [PORT]"""

import itertools
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])

from wandb_server import WandbServer  # noqa: E402  # found on the path above

port = int(sys.argv[1]) if sys.argv[1:] else 0
with suppress(KeyboardInterrupt), WandbServer(port) as server:
    print(f"export WANDB_BASE_URL={server.url} WANDB_API_KEY={server.key} NO_PROXY=127.0.0.1")
    for number in itertools.count():
        sys.stdout.flush()
        while number == len(server.requests):
            time.sleep(0.1)
        print(server.requests[number])
for problem in server.problems + server.doubled:
    print(problem)
