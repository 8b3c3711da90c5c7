"""The main script of a preload server, whose forked children run programs as their own main script.

It is started by `caduceus.system.preloading.starting`, imports the standard library only, and runs
under any Python from 3.10 on. A program runs at the end of this file, below all functions, so that
its stack has one frame more than that of a fresh start, and its tracebacks none.
"""

import sys

from caduceus_preloading import serving

_MAIN = sys.modules["__main__"]  # stays alive after its place has been taken by the program's
program = serving.serve(sys.argv[1])  # returns in a forked child only
try:
    program.run()
    program.has_finished = True
except SystemExit as error:
    program.has_finished = error.code is None or (type(error.code) is int and error.code == 0)
    raise
except BaseException as error:
    program.report(error)
    raise  # a KeyboardInterrupt, by which the interpreter ends itself by SIGINT
