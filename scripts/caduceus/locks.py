"""`note_holder` under the name that Snakefiles written for earlier snapshots import."""

from caduceus import note_holder

__all__ = ["note_holder"]
