"""Make anew for each program what modules made while they were imported.

Random generators that the system seeded, temporary folders, functions that run at the end, changes
of the environment, and values that hold the folder or the time of the import.
"""

import atexit
import gc
import os
import pathlib
import random
import sys
import tempfile
import time

_SYSTEM_ENTROPY = 1 << 64  # numpy takes 128 bits from the system; a seed that is written is smaller
_SHARED = random.random.__self__  # the generator behind the functions of `random`
_CLOCKS = (time.time, time.monotonic, time.perf_counter, time.time_ns)


class Watched:
    """Records, inside its `with` blocks, what modules do beyond defining names.

    Args:
        varying: variables of the environment that programs have and this process hasn't; `*` at the
            end of a name stands for anything.

    Attributes:
        registered: each call of `atexit.register`, after the module that made it.
        unseeded: generators of `random` that the system seeded, by their identity.
        folders: the module, object and arguments of each `tempfile.TemporaryDirectory`.
        read: the varying variables that were read.
        periods: the clocks at the start and at the end of each block.
        temporary: the paths of temporary files and folders.
        torch_generator: the default generator of torch; None without torch.
        torch_seed: the seed that it got from the system.
    """

    def __init__(self, varying):
        self.registered, self.unseeded, self.folders = [], {}, []
        self.read, self.temporary, self.periods = set(), [], []
        self.torch_generator = self.torch_seed = None
        self._varying, self._is_active = varying, False
        self._before = dict(os.environ)
        self.unseeded[id(_SHARED)] = _SHARED
        sys.addaudithook(self._audit)  # can't be removed: it does nothing outside of the blocks

    def __enter__(self):
        self._started = [clock() for clock in _CLOCKS]
        self._environment = os.environ.__class__
        os.environ.__class__ = self._watched_environment()
        self._register, self._unregister = atexit.register, atexit.unregister
        atexit.register, atexit.unregister = self._add, self._remove
        self._seed, random.Random.seed = random.Random.seed, self._watched_seed()
        self._shared_seed, random.seed = random.seed, _SHARED.seed
        self._make, tempfile.TemporaryDirectory.__init__ = (
            tempfile.TemporaryDirectory.__init__,
            self._watched_folder(),
        )
        self._is_active = True
        return self

    def __exit__(self, *_):
        self._is_active = False
        os.environ.__class__ = self._environment
        atexit.register, atexit.unregister = self._register, self._unregister
        random.Random.seed, random.seed = self._seed, self._shared_seed
        tempfile.TemporaryDirectory.__init__ = self._make
        self.periods.append((self._started, [clock() for clock in _CLOCKS]))

    def variables(self):
        """Return the variables that were set, and None for those that were removed."""
        now = dict(os.environ)
        names = now.keys() | self._before.keys()
        return {name: now.get(name) for name in names if now.get(name) != self._before.get(name)}

    def _watched_environment(watched):
        class Environment(os.environ.__class__):
            def __getitem__(self, name):
                if any(_matches(name, pattern) for pattern in watched._varying):
                    watched.read.add(name)
                return super().__getitem__(name)

        return Environment

    def _add(self, function, *arguments, **named):
        if not self._is_active:  # a module has kept this function
            return self._register(function, *arguments, **named)
        self.registered.append((_importing(), function, arguments, named))
        return function

    def _remove(self, function):
        self._unregister(function)
        self.registered[:] = [call for call in self.registered if call[1] != function]

    def _watched_seed(watched):
        original = random.Random.seed

        def seed(self, a=None, version=2):
            watched.unseeded.pop(id(self), None)
            if a is None:
                watched.unseeded[id(self)] = self
            return original(self, a, version)

        return seed

    def _watched_folder(watched):
        original = tempfile.TemporaryDirectory.__init__

        def make(self, *arguments, **named):
            original(self, *arguments, **named)
            watched.folders.append((_importing(), self, arguments, named))

        return make

    def _audit(self, event, arguments):
        if self._is_active and event in ("tempfile.mkdtemp", "tempfile.mkstemp"):
            self.temporary.append(arguments[0])
        # The first import after that of the generator is torch's own: none has seeded it yet.
        elif self._is_active and event == "import" and self.torch_generator is None:
            torch = sys.modules.get("torch._C")
            self.torch_generator = getattr(torch, "default_generator", None)
            if self.torch_generator is not None:
                self.torch_seed = self.torch_generator.initial_seed()


class Inherited:
    """The things that were made, found once after the import and made anew in each program."""

    def __init__(self, watched):
        self._watched, self._here = watched, os.getcwd()
        self._variables = watched.variables()
        self._shared_state = None if id(_SHARED) in watched.unseeded else _SHARED.getstate()
        self._arrays = [found for found in gc.get_objects() if _is_numpy_generator(found)]
        self._times, self._paths = [], []
        clocks = [each for period in watched.periods for each in zip(_CLOCKS, *period, strict=True)]
        for values, name, value in _values():
            for clock, start, end in clocks:
                if type(value) is type(start) and start <= value <= end:
                    self._times.append((values, name, clock))
            if issubclass(type(value), (str, pathlib.PurePath)) and self._here in str(value):
                self._paths.append((values, name, value))

    def left_files(self):
        """Return temporary files that are there and can't be made anew."""
        known = {folder.name for _, folder, _, _ in self._watched.folders}
        return [
            path for path in self._watched.temporary if path not in known and os.path.lexists(path)
        ]

    def remove(self):
        """Delete the temporary folders of this process."""
        for _, folder, _, _ in self._watched.folders:
            folder.cleanup()

    def restore_random(self):
        """Undo what a fork does to the generator of `random`, if a module has seeded it."""
        if self._shared_state is not None:
            _SHARED.setstate(self._shared_state)

    def renew(self):
        """Make everything anew, in a program's folder and environment."""
        for name, value in self._variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for generator in self._watched.unseeded.values():
            generator.seed()
        self.restore_random()
        for generator in self._arrays:
            _seed_anew(generator)
        torch = self._watched.torch_generator
        if torch is not None and torch.initial_seed() == self._watched.torch_seed:
            torch.seed()
        for _, folder, _, _ in self._watched.folders:
            folder._finalizer.detach()  # the folder is the server's
        for values, name, clock in self._times:
            values[name] = clock()
        here = os.getcwd()
        for values, name, value in self._paths:
            values[name] = type(value)(str(value).replace(self._here, here))

    def finish(self, names):
        """Make the folders of modules, and register their functions that run at the end."""
        for name, folder, arguments, named in self._watched.folders:
            if name in names:
                folder.__init__(*arguments, **named)
        for name, function, arguments, named in self._watched.registered:
            if name in names:
                atexit.register(function, *arguments, **named)

    def finish_others(self, hidden):
        """Do so for modules that aren't hidden, such as those of Python itself."""
        made = [*self._watched.folders, *self._watched.registered]
        self.finish({name for name, *_ in made if name not in hidden})


def _importing():
    """Return the name of the module that is being imported; None without one."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return None if frame is None else frame.f_globals.get("__name__")


def _matches(name, pattern):
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _is_numpy_generator(found):
    kind = type(found)
    return kind.__module__ in ("numpy.random._generator", "numpy.random.mtrand") and (
        kind.__name__ in ("Generator", "RandomState")
    )


def _seed_anew(generator):
    """Give a generator of numpy another state, unless it was made with a seed."""
    bits = getattr(generator, "bit_generator", None) or generator._bit_generator
    entropy = getattr(getattr(bits, "seed_seq", None), "entropy", None)
    if isinstance(entropy, int) and entropy >= _SYSTEM_ENTROPY:
        bits.state = type(bits)().state


def _values():
    """Yield each value of a module or of a configuration of torch: its mapping, name and value."""
    for module in list(sys.modules.values()):
        values = getattr(module, "__dict__", None)
        if not isinstance(values, dict) or values.get("__name__") in (__name__, "__main__"):
            continue
        for name, value in list(values.items()):
            if not name.startswith("__"):
                yield values, name, value
        if type(module).__name__ == "ConfigModuleInstance":  # torch.utils._config_module
            for entry in values.get("_config", {}).values():
                for name, value in list(vars(entry).items()):
                    yield vars(entry), name, value
