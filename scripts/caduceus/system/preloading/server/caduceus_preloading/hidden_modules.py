"""Hide imported modules until a program imports them.

A program then finds in `sys.modules` what it would find there after a fresh start: libraries look
there for others, and the shim records the packages that a program imports. With a module come all
that it imports itself; `Imports` records them.
"""

import builtins
import importlib
import importlib.machinery
import sys


class Imports:
    """Records, inside its `with` blocks, which module imports which.

    Attributes:
        needed: the names of imported modules by the name of the importing one.
    """

    def __init__(self):
        self.needed = {}
        self._found = set()  # modules that were looked for
        self._import = builtins.__import__

    def __enter__(self):
        builtins.__import__ = self._recorded
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_):
        builtins.__import__ = self._import
        sys.meta_path.remove(self)

    def find_spec(self, name, path=None, target=None):
        """Find nothing, but record who loads a module by whatever function."""
        self._found.add(name)
        frame = sys._getframe(1)
        while frame is not None and _is_importing(frame):
            frame = frame.f_back
        if frame is not None:
            self._add(frame.f_globals.get("__name__"), name)

    def made(self, names):
        """Record modules that others made, in C or by an entry in `sys.modules`.

        They come with their package, since Python never looks for them.

        Returns:
            Those of the names that can be hidden: the others have no package that was looked for.
        """
        kept = set()
        for name in names:
            package = name
            while package and package not in self._found:
                package = package.rpartition(".")[0]
            if package:
                kept.add(name)
                if package != name:
                    self._add(package, name)
        return kept

    def _recorded(self, name, globals=None, locals=None, fromlist=(), level=0):
        result = self._import(name, globals, locals, fromlist, level)
        importer = (globals or {}).get("__name__")
        if level:
            parts = (globals.get("__package__") or importer or "").split(".")
            name = ".".join(parts[: len(parts) - level + 1] + ([name] if name else []))
        self._add(importer, name)
        for item in fromlist or ():
            if isinstance(item, str) and name + "." + item in sys.modules:
                self._add(importer, name + "." + item)
        return result

    def _add(self, importer, name):
        while name:  # the packages of a module come with it
            self.needed.setdefault(importer, set()).add(name)
            name = name.rpartition(".")[0]


def _is_importing(frame):
    path = frame.f_code.co_filename
    return path.startswith("<frozen importlib") or path in (__file__, importlib.__file__)


class Finder:
    """An import hook that gives a program the hidden modules which it imports.

    Args:
        modules: the modules by name; they are removed from `sys.modules`.
        needed: the names of imported modules by the name of the importing one.
        finish: is called with the names of modules that are about to be found.
    """

    def __init__(self, modules, needed, finish):
        self._modules, self._needed, self._finish = modules, needed, finish
        for name in modules:
            sys.modules.pop(name, None)

    def show_all(self):
        """Put all modules into `sys.modules`, and find none any more."""
        sys.meta_path.remove(self)
        sys.modules.update(self._modules)

    @property
    def names(self):
        """The names of the hidden modules."""
        return self._modules.keys()

    @property
    def top_level(self):
        """The names of the hidden modules that are in no package."""
        return {name for name in self._modules if "." not in name}

    def find_spec(self, name, path=None, target=None):
        """Return a spec that looks like the module's own."""
        module = self._modules.get(name)
        if module is None:
            return None
        own = getattr(module, "__spec__", None)
        spec = importlib.machinery.ModuleSpec(name, _Loader(self, name, module))
        if own is not None:
            spec.origin, spec.cached = own.origin, own.cached
            spec.has_location = own.has_location
            spec.submodule_search_locations = own.submodule_search_locations
        return spec

    def show(self, name):
        """Put a module and all that it needs into `sys.modules`."""
        names, shown = [name], {}
        while names:
            name = names.pop()
            module = self._modules.pop(name, None)
            if module is not None:
                shown[name] = module
                names += self._needed.get(name, ())
        self._finish(shown.keys())
        for name, module in shown.items():
            sys.modules.setdefault(name, module)


class _Loader:
    """Gives one hidden module to the import system."""

    def __init__(self, finder, name, module):
        self._finder, self._name, self._module = finder, name, module
        self._spec = getattr(module, "__spec__", None)

    def create_module(self, spec):
        return self._module

    def exec_module(self, module):
        module.__spec__ = self._spec
        self._finder.show(self._name)
