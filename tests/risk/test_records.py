"""Tests of the records risk returns: each has an event that takes its fields, one for one."""

from __future__ import annotations

from typing import get_args

import pytest

from exchange import telling
from risk import records

PRIVATE, PUBLIC = get_args(records.PrivateRecord), get_args(records.PublicRecord)


@pytest.mark.parametrize("record", PRIVATE, ids=lambda record: record.__name__)
def test_a_private_record_names_its_account_first_and_has_an_event(record: type) -> None:
    fields = list(record.__annotations__)
    assert fields[0] == "account_id"
    event = telling._PRIVATE[record]
    assert list(event.__struct_fields__) == ["seq", "time_ms", "account_id", "n", *fields[1:]]


@pytest.mark.parametrize("record", PUBLIC, ids=lambda record: record.__name__)
def test_a_public_record_has_an_event_of_the_same_fields(record: type) -> None:
    event = telling._PUBLIC[record]
    assert list(event.__struct_fields__) == ["seq", "time_ms", *record.__annotations__]
