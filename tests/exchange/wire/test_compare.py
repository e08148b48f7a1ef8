"""Tests of the messages of a comparison: what was sent is read, and amounts are text."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec
import pytest

from exchange.wire import CompareSay, OutcomeSay, WaySay
from tests.exchange.wire.test_says import filled, plain

KINDS: tuple[Any, ...] = (CompareSay, OutcomeSay, WaySay)
NUMBERS = {"leverage", "max_leverage", "hours", "fundings", "funding_interval_ms"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_comparison_is_read_as_it_was_sent(kind: Any) -> None:
    say = filled(kind)
    assert msgspec.json.decode(msgspec.json.encode(say), type=kind) == say
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(say), type=kind) == say


@pytest.mark.parametrize("kind", KINDS)
def test_amounts_are_text_and_nothing_is_a_float(kind: Any) -> None:
    for name, hint in get_type_hints(kind).items():
        assert float not in plain(hint)
        assert int not in plain(hint) or name in NUMBERS


def test_a_way_that_cannot_be_gone_has_every_field_all_the_same() -> None:
    sent = msgspec.json.decode(msgspec.json.encode(WaySay("X", False, "NO", "no", 3)))
    assert list(sent) == list(WaySay.__struct_fields__)
    assert (sent["qty"], sent["outcomes"]) == (None, [])
