"""Tests of the log's lines."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from exchange import logs
from exchange.logs import KeyValueFormatter, quoted


def record(message: str, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord(
        "exchange.server", logging.WARNING, "server.py", 1, message, args, None
    )
    made.created = 1_700_000_000.25
    made.__dict__.update(more)
    return made


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_pairs_of_key_and_value() -> None:
    # 1,700,000,000 s after the epoch.
    assert KeyValueFormatter().format(record("recovered %d commands", 7)) == (
        "time=2023-11-14T22:13:20.250Z level=warning logger=exchange.server "
        'msg="recovered 7 commands"'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("two words", '"two words"'),
        ('a "quote"', '"a \\"quote\\""'),
        ("two\nlines", '"two\\nlines"'),
        ("a=b", '"a=b"'),
        ("", '""'),
    ],
)
def test_a_value_that_could_be_mistaken_is_quoted(value: str, written: str) -> None:
    assert quoted(value) == written


def test_a_traceback_stands_behind_its_line() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        lines = KeyValueFormatter().format(record("failed", exc_info=sys.exc_info())).split("\n")
    assert lines[0].endswith("msg=failed")
    assert lines[-1] == "ValueError: no"


def test_the_whole_program_logs_to_one_stream(root: logging.Logger) -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)
    logs.configure(stream=stream)
    logging.getLogger("exchange.anything").info("once")
    logging.getLogger("exchange.anything").debug("never")
    assert stream.getvalue().count("\n") == 1
    assert "logger=exchange.anything" in stream.getvalue()
