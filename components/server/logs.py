"""Logs as lines of JSON, for who collects them: ATLAS_LOG_FORMAT=json."""

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """One object a line: time (ISO 8601, UTC), level, logger, message, the `facts` of a record, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def write_json() -> None:
    """Have all loggers of this process, gunicorn's too, write JSON to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in ("gunicorn.error", "gunicorn.access", "werkzeug"):
        one = logging.getLogger(name)
        one.handlers, one.propagate = [], True
    logging.captureWarnings(True)
