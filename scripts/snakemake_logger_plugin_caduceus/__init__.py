"""Snakemake's logger `caduceus`: a line of JSON for each job and error, for `caduceus plan`."""

import json
from logging import ERROR, LogRecord
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Prints `{"job": …}` for a job that would run, `{"error": …}` for an error."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record: LogRecord) -> None:
        """Print a record if it is a job or an error."""
        fields: dict[str, Any] = vars(record)
        if fields.get("event") == LogEvent.JOB_INFO:
            job = {
                "rule": fields["rule_name"],
                "wildcards": dict(fields["wildcards"]),
                "outputs": list(fields["output"]),
                "reason": fields["reason"],
                "command": fields["shellcmd"] or "",
                "threads": fields["threads"],
            }
            print(json.dumps({"job": job}), flush=True)
        elif record.levelno >= ERROR:
            print(json.dumps({"error": record.getMessage()}), flush=True)
