"""Runs that were trained elsewhere, taken into this results/: `caduceus merge`."""
