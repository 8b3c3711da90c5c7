"""The server: it imports the modules, takes requests and ends by itself.

It ends when it has had no program for some minutes, when the process that it serves ends, and when
a file of a module has changed. Programs that run then go on: their supervisors end them.
"""

import fcntl
import json
import os
import select
import shutil
import socket
import sys

from caduceus_preloading import guards, imports, messages

_REQUEST_S = 10.0  # for a request to arrive, once its connection is open
_OWN_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def serve(settings):
    """Import modules and fork a process for each request; returns in a forked process only.

    Args:
        settings: the path of a JSON file with the `modules`, variables that are `varying`,
            functions that are `replaced`, the file descriptors of the `listener` and of the pipe
            that `tells` whether the server is ready, the process `owner`, seconds of `idle_s`, and
            `folder`, which gets a file `imported` with all modules, and is deleted at the end.
    """
    settings = _read(settings)
    if os.fork():
        os._exit(0)  # the server belongs to no program's supervisor
    os.setsid()
    own = [name for name in sys.modules if name.partition(".")[0] == "caduceus_preloading"]
    preloaded = imports.Preloaded(settings["varying"], settings["replaced"])
    program = _serve(settings, preloaded)
    for name in own:
        del sys.modules[name]
    return program


def _serve(settings, preloaded):
    """Import the modules that aren't imported yet, and return a program in its forked process."""
    tells = settings["tells"]
    try:
        preloaded.add(settings["modules"])
    except imports.UnfitError as error:
        os.write(tells, str(error).encode("utf-8", "replace"))
        os._exit(1)
    if _OWN_FOLDER in sys.path:
        sys.path.remove(_OWN_FOLDER)
    with open(settings["folder"] + "/imported", "w") as stream:
        stream.write("\n".join([*preloaded.finder.names, *sys.modules]))
    listener = socket.socket(fileno=settings["listener"])
    listener.listen(socket.SOMAXCONN)  # until now no program could connect, and wait for an answer
    os.write(tells, b"ready")
    os.close(tells)
    program = _accept(listener, settings, preloaded)
    if program is None:
        preloaded.inherited.remove()
        shutil.rmtree(settings["folder"], ignore_errors=True)
        os._exit(0)
    return program


def _read(settings):
    with open(settings) as stream:
        return json.load(stream)


def _serve_more(connection, request, descriptors, preloaded):
    """In a fork of a server, become one that has further modules; returns as `_serve` does."""
    os.setsid()
    try:
        messages.send(connection, {"forked": "server"})
    except OSError:  # the supervisor has ended
        os._exit(0)
    connection.close()
    listener, tells, printed = descriptors
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.close(printed)
    settings = dict(_read(request["settings"]), listener=listener, tells=tells)
    return _serve(settings, preloaded)


def _accept(listener, settings, preloaded):
    """Fork a guard for each request, and return its program there; None when the server ends.

    A request with `settings` asks for another server instead, which is forked from this one.
    """
    try:
        owner = os.pidfd_open(settings["owner"])
    except ProcessLookupError:
        return None
    guarded = {}  # process ids by the descriptors that become readable at their ends
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(owner, select.POLLIN)
    while True:
        ready = [number for number, _ in poll.poll(None if guarded else settings["idle_s"] * 1000)]
        for number in guarded.keys() & ready:
            poll.unregister(number)
            os.close(number)
            os.waitpid(guarded.pop(number), 0)
        if owner in ready or (not ready and _is_unwanted(settings["folder"] + "/lock")):
            return None
        if listener.fileno() not in ready:
            continue
        connection, _ = listener.accept()
        with connection:
            request, descriptors = _receive(connection)
            if request is None:
                continue
            if path := preloaded.changed_file():
                # The supervisor starts another server in this folder as soon as it reads the
                # message. So this one stops listening first, and leaves the folder.
                listener.close()
                preloaded.inherited.remove()
                messages.send(connection, {"ended": path + " has changed"})
                os._exit(0)
            pid = os.fork()
            if pid == 0:
                for number in (listener.fileno(), owner, *guarded):
                    os.close(number)
                listener.detach()
                if "settings" in request:
                    return _serve_more(connection, request, descriptors, preloaded)
                return guards.guard(connection, request, descriptors, preloaded)
            for descriptor in descriptors:
                os.close(descriptor)
        number = os.pidfd_open(pid)
        guarded[number] = pid
        poll.register(number, select.POLLIN)


def _receive(connection):
    """Return a request and its file descriptors; None and none if it doesn't arrive whole."""
    connection.settimeout(_REQUEST_S)
    try:
        received = messages.receive(connection)
    except (OSError, EOFError, ValueError):
        return None, []
    connection.settimeout(None)
    return received


def _is_unwanted(path):
    """Whether no supervisor is about to start another server; until the end then none can."""
    try:
        fcntl.flock(os.open(path, os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
