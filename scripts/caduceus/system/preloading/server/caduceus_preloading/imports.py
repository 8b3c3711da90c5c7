"""Import modules for many programs, and check that a fork of them is as good as a fresh start.

Whatever a fork would share that each fresh start has for itself is made anew in the fork
(`inherited`), or it is a reason not to fork.
"""

import gc
import importlib
import os
import sys

from caduceus_preloading import ends
from caduceus_preloading.hidden_modules import Finder, Imports
from caduceus_preloading.inherited import Inherited, Watched

_SITES = ("site-packages", "dist-packages")
# By these, libraries start no thread when they are imported, and are the same otherwise: the memory
# allocator of Arrow gives memory back in its callers' threads, as it does after any fork.
_WITHOUT_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
_LIBRARY = os.path.dirname(os.__file__) + os.sep


class UnfitError(Exception):
    """The modules can't be preloaded; the text says why."""


class Preloaded:
    """Imported modules, and all that a forked program needs to know of them.

    Args:
        varying: variables of the environment that programs have and this process hasn't.
        replaced: functions, such as `wandb.init`, that a program's start replaces in their module.

    Attributes:
        finder: the import hook that has the modules.
        inherited: what they made while they were imported.
        is_quiet: whether nobody would notice that none of their objects is deleted at the end.
    """

    def __init__(self, varying, replaced):
        self.finder = self.inherited = self.is_quiet = None
        self._replaced, self._before, self._files = replaced, dict(sys.modules), {}
        self._watched, self._imports = Watched(varying), Imports()

    def add(self, names):
        """Import modules, and hide them until a program imports them.

        A fork of the process that has imported some may add others.

        Raises:
            UnfitError: a fork wouldn't be as good as a fresh start.
        """
        if self.finder is not None:
            gc.unfreeze()  # the checks look at all objects
            self.finder.show_all()
            self.inherited.restore_random()
        descriptors = _descriptors()
        self._import(names)
        new = {name: module for name, module in sys.modules.items() if name not in self._before}
        installed = [name for name, module in new.items() if _is_installed(name, module)]
        hidden = {name: new[name] for name in self._imports.made(installed)}
        _check_state(self._watched, descriptors)
        _check_places({name: new[name] for name in installed})
        _check_replaced(self._replaced, new)
        gc.collect()
        self.inherited = Inherited(self._watched)
        _check_objects(self.inherited)
        self.is_quiet = ends.are_quiet()
        for path in filter(None, map(_file, new.values())):
            self._files.setdefault(path, _stamp(path))
        self.finder = Finder(hidden, self._imports.needed, self.inherited.finish)
        # PathFinder stands behind it: it would import the modules anew.
        sys.meta_path.insert(0, self.finder)
        gc.freeze()  # a collection in a program then writes to none of the pages that all share

    def _import(self, names):
        quiet = {name: value for name, value in _WITHOUT_THREADS.items() if name not in os.environ}
        os.environ.update(quiet)
        threshold = gc.get_threshold()
        gc.set_threshold(0)  # collections take an eighth of the import, and one follows anyway
        with self._watched, self._imports:
            for name in names:
                try:
                    importlib.import_module(name)
                except BaseException as error:
                    raise UnfitError(
                        "importing {} fails: {}: {}".format(name, type(error).__name__, error)
                    ) from None
        if gc.get_threshold()[0] == 0:  # unless a module has set another
            gc.set_threshold(*threshold)
        for name in quiet:
            os.environ.pop(name, None)

    def changed_file(self):
        """Return the path of a file that is no longer what was imported; None without one."""
        for path, stamp in self._files.items():
            if _stamp(path) != stamp:
                return path
        return None


def _check_state(watched, descriptors):
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        raise UnfitError("importing them starts {} threads".format(threads - 1))
    for number, target in _descriptors().items():
        if descriptors.get(number) != target:
            raise UnfitError("importing them opens {}".format(target))
    if watched.read:
        raise UnfitError("importing them reads {}".format(", ".join(sorted(watched.read))))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        with open("/proc/self/fd/{}".format(stream.fileno()), errors="replace") as printed:
            if line := printed.readline().strip():
                raise UnfitError("importing them prints: " + line)
    torch = sys.modules.get("torch.cuda")
    if torch is not None and torch.is_initialized():
        raise UnfitError("importing them starts CUDA")


def _check_places(modules):
    """Check that modules come from where packages are installed, and nowhere else."""
    for name, module in modules.items():
        path = _file(module)
        if path and not _is_in_site(path):
            raise UnfitError("{} isn't installed in site-packages".format(name))


def _check_replaced(replaced, new):
    for name in replaced:
        package, _, attribute = name.rpartition(".")
        function = getattr(sys.modules.get(package), attribute, None)
        for holder, module in new.items() if function is not None else ():
            inside = holder == package or holder.startswith(package + ".")
            if not inside and any(v is function for v in list(vars(module).values())):
                raise UnfitError("{} keeps {} under a name of its own".format(holder, name))


def _check_objects(inherited):
    synchronize = sys.modules.get("multiprocessing.synchronize")
    for found in gc.get_objects() if synchronize else ():
        if issubclass(type(found), synchronize.SemLock):
            raise UnfitError("importing them makes a lock that all processes would share")
    for path in inherited.left_files():
        raise UnfitError("importing them makes the temporary file {}".format(path))


def _is_installed(name, module):
    """Whether a module is no part of Python itself."""
    top = name.partition(".")[0]
    # multiprocessing calls the main module __mp_main__ too.
    return (
        top not in sys.stdlib_module_names
        and top != "__mp_main__"
        and not ((_file(module) or "").startswith(_LIBRARY) and not _is_in_site(_file(module)))
    )


def _is_in_site(path):
    return any(os.sep + site + os.sep in path for site in _SITES)


def _file(module):
    path = getattr(module, "__file__", None)
    # torch has modules of its own making, whose file is a bare name.
    return path if isinstance(path, str) and os.path.isabs(path) else None


def _stamp(path):
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _descriptors():
    """Return what the open file descriptors of this process lead to, by number."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink("/proc/self/fd/" + name)
        except OSError:  # that of the listing itself
            continue
    return found
