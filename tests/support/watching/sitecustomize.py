"""Python imports this as it starts: notes each file that a command of the pipeline opens."""

import os
import sys

FOLDER = os.environ.get("WATCHED_READS")
SERVER = "caduceus.system.command_server.server"  # forks commands, whose words are then sys.argv

if FOLDER:
    from opens import watch

    if "caduceus" in sys.orig_argv:
        watch(FOLDER, sys.orig_argv)
    elif SERVER in sys.orig_argv:
        os.register_at_fork(after_in_child=lambda: watch(str(FOLDER), []))
