"""Snakemake's logger `caduceus`: a line of JSON for each error, for `caduceus plan`."""

import json
from logging import ERROR, LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase


class LogHandler(LogHandlerBase):
    """Prints `{"error": …}` for an error, and nothing else."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record: LogRecord) -> None:
        """Print a record if it is an error."""
        if record.levelno >= ERROR:
            print(json.dumps({"error": record.getMessage()}), flush=True)
