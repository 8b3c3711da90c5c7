"""Sides: the variants that entries of the paper name."""

from collections.abc import Mapping
from typing import TypeAlias

from caduceus.io.files import Json
from caduceus.io.yaml_files import Key

Side: TypeAlias = Mapping[str, Json]  # parameters of one variant; `experiment` is its experiment
Sides: TypeAlias = dict[tuple[Key, ...], Side]  # by their keys in an entry
