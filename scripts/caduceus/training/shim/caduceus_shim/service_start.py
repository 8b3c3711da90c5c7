"""Look often for the port of W&B's service, which each process that logs starts.

The service writes its port into a file within 0.05 s; `wandb.init` looks for the file at once and
then every 0.2 s, in which the processor idles.
"""

import sys
import time

_POLL_S = 0.01


def look_often():
    """Shorten the waits of wandb between two looks, if this wandb has them."""
    module = sys.modules.get("wandb.sdk.lib.service.service_port_file")
    if hasattr(module, "_SLEEP"):
        module._SLEEP = _wait


def _wait(seconds):
    time.sleep(min(seconds, _POLL_S))
