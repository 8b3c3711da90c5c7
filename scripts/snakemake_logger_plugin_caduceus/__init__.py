"""Snakemake's logger `caduceus`: a line of JSON for each job and error, for `caduceus plan`."""

import json
from logging import ERROR, LogRecord
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Prints `{"job": …}` for a job that would run, and `{"error": …}` for what is wrong."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record: LogRecord) -> None:
        """Print what a record says, if it says one of these."""
        said: dict[str, Any] = vars(record)
        if said.get("event") == LogEvent.JOB_INFO:
            job = {
                "rule": said["rule_name"],
                "wildcards": dict(said["wildcards"]),
                "outputs": list(said["output"]),
                "reason": said["reason"],
                "command": said["shellcmd"] or "",
                "threads": said["threads"],
            }
            print(json.dumps({"job": job}), flush=True)
        elif record.levelno >= ERROR:
            print(json.dumps({"error": record.getMessage()}), flush=True)
