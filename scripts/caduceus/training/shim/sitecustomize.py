"""Start `caduceus_shim` in every Python process below `caduceus train`.

Python imports a module of this name before a program starts, if it is in a folder of PYTHONPATH;
`caduceus train` sets that. `caduceus_shim` beside it must work under any Python that wandb
supports, also without Caduceus installed, so it imports the standard library only.
"""

import importlib.machinery
import importlib.util
import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))


def _import_hidden():
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
_import_hidden()
