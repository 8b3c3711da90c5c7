"""Caduceus: experiment files in, a paper's numbers out."""

__version__ = "0.1.0"
