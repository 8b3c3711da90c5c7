"""`note_holder` under the name that Snakefiles written before version 0.2 import."""

from caduceus import note_holder

__all__ = ["note_holder"]
