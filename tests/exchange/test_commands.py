"""Tests of commands as the journal keeps them: for as long as the project lives."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from exchange.commands import (
    AdjustPositionMargin,
    AmendOrder,
    AnyCommand,
    Borrow,
    CancelAll,
    CancelOrder,
    CancelReplace,
    Command,
    Continue,
    ConvertDust,
    Deposit,
    Exit,
    FeedPrices,
    OpenAccount,
    PlaceList,
    PlaceOrder,
    Repay,
    ResetAccount,
    SetCountdown,
    SetFeeDiscount,
    SetIndexPrice,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    SetMultiAsset,
    SetPositionMode,
    SetSymbolState,
    Tick,
    Transfer,
)
from exchange.engine import Engine
from matching.types import OrderType, SelfTrade, Side, TimeInForce, TriggerSource
from tests.story import small_venue

KINDS: tuple[type[Command], ...] = get_args(AnyCommand)

# What stands in journals that were written already: the tag of each command, and behind its number
# and moment its fields in their order. Lines may be appended, and fields at the end of a line;
# nothing else of this table may ever change.
MONEY: dict[str, Any] = {"wallet": "margin", "asset": "USDT", "amount_minor": 9, "client_id": "c"}
ONE: dict[str, Any] = {"account_id": 100}
WRITTEN: dict[type[Command], tuple[int, dict[str, Any]]] = {
    Tick: (1, {}),
    Continue: (2, {}),
    OpenAccount: (3, {"kind": "agent", "label": "maker"}),
    Deposit: (4, ONE | MONEY),
    Transfer: (
        5,
        ONE
        | {"source": "spot", "target": "perp", "asset": "USDT", "amount_minor": 9}
        | {"client_id": "c"},
    ),
    PlaceOrder: (
        6,
        ONE
        | {"symbol": "BTC-USDT", "side": 1, "type": 1, "lots": 500, "quote_minor": 25}
        | {"price_ticks": 3, "tif": 2, "expire_ms": 9_000, "post_only": True, "reduce_only": True}
        | {"stp": 4, "wallet": "margin", "side_effect": 3, "leverage": 20, "client_id": "c"}
        | {"on_duplicate": 1},
    ),
    CancelOrder: (7, ONE | {"order_id": 12, "client_id": "c"}),
    CancelAll: (8, ONE | {"symbol": "BTC-USDT", "countdown_ms": 9_000}),
    AmendOrder: (
        9,
        ONE | {"order_id": 12, "client_id": "c", "lots": 500, "price_ticks": 25},
    ),
    Borrow: (10, ONE | MONEY),
    Repay: (11, ONE | MONEY),
    SetLeverage: (12, ONE | {"symbol": "BTC-USDT-PERP", "leverage": 20}),
    SetMarginMode: (13, ONE | {"symbol": "BTC-USDT-PERP", "isolated": True}),
    SetMarginLeverage: (14, ONE | {"leverage": 5}),
    AdjustPositionMargin: (
        15,
        ONE | {"symbol": "BTC-USDT-PERP", "amount_minor": -9, "client_id": "c"},
    ),
    ResetAccount: (16, ONE | {"client_id": "c"}),
    FeedPrices: (17, {"feed": "reference", "prices_e8": {"BTC": 50_000}, "stale_ms": 60_000}),
    SetIndexPrice: (18, {"base": "BTC", "quote": "USDT", "price_e8": 50_000}),
    SetSymbolState: (19, {"symbol": "BTC-USDT", "state": "halt"}),
    SetPositionMode: (20, ONE | {"hedge": True}),
    SetMultiAsset: (21, ONE | {"on": True}),
    SetFeeDiscount: (22, ONE | {"on": True}),
    ConvertDust: (
        23,
        ONE | {"wallet": "spot", "assets": ["ETH", "BNB"], "client_id": "c"},
    ),
    CancelReplace: (
        24,
        ONE
        | {"order_id": 12, "cancel_client_id": "c", "mode": 1}
        | {"place": PlaceOrder(account_id=100, symbol="BTC-USDT", lots=500, price_ticks=25)},
    ),
    PlaceList: (
        26,
        ONE
        | {"kind": 1, "orders": [PlaceOrder(account_id=100, symbol="BTC-USDT", lots=500)]}
        | {"client_id": "c"},
    ),
    SetCountdown: (25, ONE | {"symbol": "BTC-USDT", "countdown_ms": 9_000}),
}


def written(kind: type[Command]) -> list[Any]:
    """A line of the table as the journal has it."""
    tag, fields = WRITTEN[kind]
    return [tag, 7, 1_000, *fields.values()]


def read(encoded: bytes) -> AnyCommand:
    """As the journal's reader does, which does not know the kind beforehand."""
    command: AnyCommand = msgspec.msgpack.decode(encoded, type=AnyCommand)
    return command


def test_every_command_has_a_line_of_the_table() -> None:
    assert set(WRITTEN) == set(KINDS)


def test_tags_are_unique_so_that_no_command_is_taken_for_another() -> None:
    tags = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(tags)) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_fields_are_only_ever_appended(kind: type[Command]) -> None:
    names = ("seq", "time_ms", *WRITTEN[kind][1])
    assert kind.__struct_fields__[: len(names)] == names


@pytest.mark.parametrize("kind", KINDS)
def test_a_journal_of_the_first_day_can_be_read(kind: type[Command]) -> None:
    command = read(msgspec.msgpack.encode(written(kind)))
    assert type(command) is kind
    assert (command.seq, command.time_ms) == (7, 1_000)
    fields = WRITTEN[kind][1]
    assert {name: getattr(command, name) for name in fields} == fields


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_is_read_as_it_was_written(kind: type[Command]) -> None:
    command = read(msgspec.msgpack.encode(written(kind)))
    encoded = msgspec.msgpack.encode(command)
    assert read(encoded) == command
    plain = msgspec.to_builtins(written(kind))
    assert msgspec.msgpack.decode(encoded)[: len(plain)] == plain


@pytest.mark.parametrize("kind", KINDS)
def test_fields_that_a_journal_does_not_have_yet_take_their_defaults(kind: type[Command]) -> None:
    assert read(msgspec.msgpack.encode(written(kind)[:3])) == kind(seq=7, time_ms=1_000)


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_stands_as_it_was_journaled(kind: type[Command]) -> None:
    with pytest.raises(AttributeError):
        kind().seq = 1  # type: ignore[misc]


def test_the_words_in_an_order_are_words_again_when_read() -> None:
    order = read(msgspec.msgpack.encode(written(PlaceOrder)))
    assert isinstance(order, PlaceOrder)
    assert (order.side, order.type, order.tif, order.stp) == (
        Side.SELL,
        OrderType.MARKET,
        TimeInForce.FOK,
        SelfTrade.DECREMENT,
    )
    assert isinstance(order.side, Side)


def test_what_is_no_command_is_refused() -> None:
    for wrong in ([0, 7, 1_000], [99, 7, 1_000], [6, 7, 1_000, "somebody"], {"seq": 7}):
        with pytest.raises(msgspec.ValidationError):
            read(msgspec.msgpack.encode(wrong))


def test_the_engine_obeys_every_command_there_is() -> None:
    """Whether it does what is asked or refuses, it answers."""
    engine = Engine(small_venue())
    for number, kind in enumerate(KINDS, start=1):
        command: Any = kind(seq=number, time_ms=engine.time_ms)
        (*_, answered) = engine.apply(command)
        assert answered.seq == number
    assert engine.seq == len(KINDS)


def test_an_order_with_its_exits_is_read_as_it_was_written() -> None:
    gain, loss = Exit(5_500_000), Exit(48, 47, TriggerSource.MARK)
    order = PlaceOrder(7, 1_000, account_id=100, lots=500, take_profit=gain, stop_loss=loss)
    assert read(msgspec.msgpack.encode(order)) == order
    waits = PlaceList(8, 1_000, account_id=100, kind=1, orders=[order])
    assert read(msgspec.msgpack.encode(waits)) == waits
