"""The order in which examples are taken. Training programs import it under this name."""

from caduceus.tracking.data_order import batches

__all__ = ["batches"]
