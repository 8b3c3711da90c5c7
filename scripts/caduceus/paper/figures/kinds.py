"""The module of each kind of figure.

They are imported by name: the digest of a figure then covers the code of its own kind alone.
"""

MODULES = {
    "curves": "learning_curves",
    "bars": "bars",
    "differences": "differences",
    "profiles": "profiles",
    "ranks": "ranks",
    "confusion": "confusion",
    "sweep": "sweep_panels",
}
