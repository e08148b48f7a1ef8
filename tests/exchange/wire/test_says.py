"""Tests of what the exchange answers: exact text, and records that any JSON reader can read."""

from __future__ import annotations

from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from exchange.wire import (
    AccountOpenedSay,
    AccountSay,
    BookSay,
    ErrorSay,
    InstrumentsSay,
    KeySay,
    OrderSay,
    PlacedSay,
    Say,
    TimeSay,
    TradeSay,
)
from exchange.wire import says as module

KINDS = [
    kind
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Say) and kind is not Say
]
# What is a number on the wire: ids, times, counts, and a leverage. All else is text.
NUMBERS = {
    "adl_rank",
    "trailing_bps",
    "filters",  # Of an instrument: bounds as text, counts of orders as numbers.
    *("countdown_ms", "at_ms"),
    *(
        "order_id",
        "list_id",
        "trade_id",
        "loan_id",
        "account_id",
        "reference",
        "first_id",
        "last_id",
    ),
    *(
        "expire_ms",
        "placed_ms",
        "updated_ms",
        "created_ms",
        "expires_ms",
        "triggered_ms",
        "open_time",
        "time",
    ),
    *("exchange_time", "wall_time", "next_funding", "funding_interval_ms", "trades", "epoch"),
    *("last_seq", "checked_at_seq", "found_at_seq", "checked", "pending_instants"),
    *("leverage", "max_leverage", "speed", "tier"),
}


def sample(hint: Any, name: str) -> Any:
    """A value of a type, as small as there is one."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return sample(inner[0], name)
    if origin is list:
        return [sample(inner[0], name)]
    if origin is tuple:
        return tuple(sample(each, name) for each in inner)
    if origin is dict:
        return {"key": sample(inner[1], name)}
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return filled(hint)
    return {str: f"some {name}", int: 7, bool: True, float: 1.5, Any: "anything"}[hint]


def filled(kind: type) -> Any:
    """A record with every field said."""
    return kind(**{name: sample(hint, name) for name, hint in get_type_hints(kind).items()})


def plain(hint: Any) -> set[Any]:
    """The simple types within a type."""
    inner = get_args(hint)
    return {each for one in inner for each in plain(one)} if inner else {hint}


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_read_as_it_was_sent_in_json_and_in_messagepack(kind: type) -> None:
    say = filled(kind)
    assert msgspec.json.decode(msgspec.json.encode(say), type=kind) == say
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(say), type=kind) == say


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_sent_whether_it_says_much_or_not(kind: type) -> None:
    """So that a reader need not ask whether a field is there."""
    sent = msgspec.json.decode(msgspec.json.encode(filled(kind)))
    assert list(sent) == list(kind.__struct_fields__)  # type: ignore[attr-defined]
    assert msgspec.structs.fields(kind)[0].encode_name == next(iter(sent))


@pytest.mark.parametrize("kind", KINDS)
def test_no_price_quantity_or_amount_is_a_number_that_a_reader_could_round(kind: type) -> None:
    for name, hint in get_type_hints(kind).items():
        if plain(hint) & {int, float}:
            assert name in NUMBERS, (kind, name)


def test_only_a_speed_is_a_float() -> None:
    floats = [
        (kind, name)
        for kind in KINDS
        for name, hint in get_type_hints(kind).items()
        if float in plain(hint)
    ]
    assert floats == [(TimeSay, "speed")]


@pytest.mark.parametrize("kind", [AccountSay, AccountOpenedSay, InstrumentsSay, TimeSay])
def test_what_a_client_could_mistake_for_real_money_says_that_it_is_paper(kind: type) -> None:
    assert "env" in kind.__struct_fields__  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_reads_past_fields_that_a_newer_server_sends(kind: type) -> None:
    sent = msgspec.to_builtins(filled(kind)) | {"a_new_field": 1}
    assert msgspec.convert(sent, kind) == filled(kind)


def test_a_first_placing_is_not_a_repetition() -> None:
    assert PlacedSay(filled(OrderSay), []).repeated is False


def test_a_live_trade_is_neither_forced_nor_made_up() -> None:
    trade = TradeSay(1, "BTC-USDT", "50000", "1", "buy", 0)
    assert (trade.forced, trade.synthetic) == (False, False)


def test_an_error_has_its_details_to_itself() -> None:
    first, second = ErrorSay("A", "a"), ErrorSay("B", "b")
    first.details["field"] = "qty"
    assert second.details == {}


def test_a_secret_is_shown_only_where_it_was_just_made() -> None:
    fields = msgspec.to_builtins(filled(KeySay))
    del fields["api_secret"]
    assert msgspec.convert(fields, KeySay).api_secret is None


def test_levels_are_pairs_of_text() -> None:
    book = BookSay("BTC-USDT", 1, [("50000.00", "0.1")], [])
    assert msgspec.json.decode(msgspec.json.encode(book))["bids"] == [["50000.00", "0.1"]]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"symbol": "", "last_id": 1, "bids": [["1"]], "asks": []}, BookSay)
