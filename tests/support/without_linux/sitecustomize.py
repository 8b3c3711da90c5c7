"""Python imports this as it starts: takes away what only Linux has, if NO_LINUX says so."""

import os

if os.environ.get("NO_LINUX"):
    from no_linux import take_away

    take_away()
