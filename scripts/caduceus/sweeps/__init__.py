"""Sweeps: W&B's configuration of one, and the trials that follow from it without a server."""
