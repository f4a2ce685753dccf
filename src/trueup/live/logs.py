"""The server's log: one line for what a person should know of, as text or as JSON, on standard error.

A line names routes and addresses, never a query, a key or a path that holds one. What comes from outside may not end a
line or move a terminal's cursor, and what looks like a secret is taken out wherever it stands.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from textwrap import indent
from typing import Any, Final, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from trueup.live.redaction import text_without_secrets
from trueup.settings import LogForm

Line = MutableMapping[str, Any]

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_HIDDEN: Final = "***"
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SECRETS: Final = (
    re.compile(r"(?<=://)[^/@\s]+(?=@)"),  # the user and password of a URL
    re.compile(r"(?<=\?)[^\s\"']+"),  # a query
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"\btru_[1-9][0-9]*_[0-9a-f]+"),  # a key of the API
    re.compile(r"(?<=/)[^/\s]+(?=/postback)"),
    re.compile(r"(?<=/)[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),  # the token of a one-time link
)


def cleaned(text: str) -> str:
    """A text without secrets and without characters that a terminal acts upon; its lines stay lines."""
    for secret in _SECRETS:
        text = secret.sub(_HIDDEN, text)
    return _CONTROLS.sub("", text_without_secrets(text))


def open_log(form: LogForm, level: str, stream: TextIO = sys.stderr) -> FilteringBoundLogger:
    """Open the log of this process.

    Args:
        form: How a line is written.
        level: The least level that is written.
        stream: Where lines are written to.

    Returns:
        The open log.
    """
    structlog.configure(
        processors=[structlog.processors.add_log_level, *_steps(form)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    log: FilteringBoundLogger = structlog.get_logger().bind()  # bound once: not anew for every line that is left out
    return log


class OthersFormatter(logging.Formatter):
    """Has the lines of libraries look like our own."""

    def __init__(self, form: str) -> None:
        """Nothing is written before a line comes.

        Args:
            form: How a line is written, as `LogForm` has it.
        """
        super().__init__()
        self._steps = _steps(LogForm(form))

    def format(self, record: logging.LogRecord) -> str:
        """Make a record a line."""
        line: Any = {"event": record.getMessage(), "level": record.levelname.lower(), "exc_info": record.exc_info}
        for step in self._steps:
            line = step(None, "", line)
        return str(line)


def others_config(form: LogForm) -> dict[str, Any]:
    """How libraries log, as the standard library's dictConfig takes it: warnings and worse.

    It has names in place of objects, so that a process that is brought it need not import them at once.
    """
    handler = {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}
    return {
        "formatters": {"line": {"()": f"{__name__}.{OthersFormatter.__name__}", "form": form.value}},
        "handlers": {"line": handler},
        "loggers": {},
        "root": {"handlers": ["line"], "level": "WARNING"},
    }


def _steps(form: LogForm) -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_secrets,
        structlog.processors.JSONRenderer(ensure_ascii=False) if form is LogForm.JSON else _as_text,
    ]


def _without_secrets(_logger: object, _method: str, line: Line) -> Line:
    return {name: cleaned(value) if isinstance(value, str) else value for name, value in line.items()}


def _as_text(_logger: object, _method: str, line: Line) -> str:
    moment, level, event = (line.pop(name) for name in ("timestamp", "level", "event"))
    trace = line.pop("exception", "")
    facts = "".join(f"  {name}={_one_line(value)}" for name, value in line.items())
    return f"{moment} {level:<8}{_one_line(event)}{facts}" + (f"\n{indent(trace, '    ')}" if trace else "")


def _one_line(value: object) -> str:
    return str(value).replace("\n", " ")
