"""The start-up hook of every Python below `caduceus train`: it keeps the program's run its run.

Python imports a module of this name before a program, if it lies in a folder of PYTHONPATH. The
work is done by `caduceus_shim` beside it, which runs under any Python that wandb supports, also
where Caduceus isn't installed: it needs nothing but Python.
"""

import importlib.machinery
import importlib.util
import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def _make_way():
    """Remove this folder from the path, and import the `sitecustomize` that it has hidden."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _FOLDER]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if "CADUCEUS_WANDB_DIR" in os.environ:
    import caduceus_shim

    caduceus_shim.start()
_make_way()
