"""The bounds hang together, and a bound that does not is refused when the module is read."""

from __future__ import annotations

import inspect
import re

import pytest

from exchange import bounds
from matching import limits

NAMES = [name for name in vars(bounds) if name.isupper() and not name.startswith("_")]


def with_bound(name: str, value: int) -> str:
    """The module's source with one bound changed."""
    source, changed = re.subn(
        rf"^{name}: Final = .*$", f"{name}: Final = {value}", inspect.getsource(bounds), flags=re.M
    )
    assert changed == 1, name
    return source


def test_every_bound_is_a_positive_whole_number() -> None:
    for name in NAMES:
        value = getattr(bounds, name)
        assert isinstance(value, int), name
        assert value > 0, name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTBOX_EVENTS_MAX", bounds.PRIVATE_EVENTS_KEPT),
        ("OUTBOX_BYTES_MAX", 1024 * 1024),
        ("PRIVATE_EVENTS_TOTAL", 1),
        ("CANDLES_KEPT", bounds.MINUTES_PER_DAY - 1),
        ("BOOK_LEVELS_PUSHED", limits.DEPTH_LEVELS_MAX + 1),
        ("REQUEST_BYTES_MAX", bounds.MESSAGE_BYTES_MAX),
        ("REQUESTS_WAITING_MAX", bounds.OUTBOX_EVENTS_MAX),
        ("PULSE_MS", bounds.GAUGE_MS + 1),
    ],
)
def test_bounds_that_do_not_hang_together_are_refused(name: str, value: int) -> None:
    with pytest.raises(AssertionError):
        exec(compile(with_bound(name, value), "bounds.py", "exec"), {})


def test_the_bounds_as_they_stand_are_accepted() -> None:
    exec(compile(inspect.getsource(bounds), "bounds.py", "exec"), {})


def test_one_taker_through_the_deepest_sweep_does_not_overrun_an_outbox() -> None:
    # Each fill tells its owner of the order, the fill, postings, and a loan it repays.
    events = 8 * limits.FILLS_PER_COMMAND_MAX
    assert events <= bounds.OUTBOX_EVENTS_MAX - bounds.PRIVATE_EVENTS_KEPT
