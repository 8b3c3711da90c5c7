"""Lets Python import the project's own packages from the snapshot of the code.

An editable install leads to the project's folder: an edit that is made while a run waits in a queue
would reach it. What the snapshot holds is imported from there instead, whatever interpreter runs.
"""

import os
import sys


def redirect():
    """Replace the project's folders in Python's search path by those of the snapshot."""
    project = os.environ.get("CADUCEUS_PROJECT_DIR")
    if not project:  # a run without a snapshot, such as that of `caduceus verify`
        return
    root = os.path.realpath(project)
    code = os.path.join(os.path.dirname(os.environ["CADUCEUS_RUN"]), "work", "code")
    sys.path[:] = [_in_snapshot(path, root, code) for path in sys.path]
    # setuptools maps packages to folders in a module of its own, for projects of some layouts.
    for name, module in list(sys.modules.items()):
        mapping = getattr(module, "MAPPING", None)
        if name.startswith("__editable__") and isinstance(mapping, dict):
            for package, path in mapping.items():
                mapping[package] = _in_snapshot(path, root, code)


def _in_snapshot(path, root, code):
    real = os.path.realpath(path) if path else root
    is_of_project = real == root or real.startswith(root + os.sep)
    if not path or not is_of_project or real.startswith(os.path.join(root, "results") + os.sep):
        return path
    inside = os.path.join(code, os.path.relpath(real, root))
    return inside if os.path.exists(inside) else path
