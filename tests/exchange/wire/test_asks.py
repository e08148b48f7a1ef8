"""Tests of what a client may send: unknown fields, bounds, words, and what is left out."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from exchange.wire import (
    AccountAsk,
    AmendAsk,
    Ask,
    BatchAmend,
    BatchAsk,
    BatchCancel,
    BatchPlace,
    CancelAllAfterAsk,
    ClockAsk,
    DustAsk,
    FaucetAsk,
    FeeDiscountAsk,
    IndexAsk,
    KeyAsk,
    LeverageAsk,
    LoanAsk,
    MarginLeverageAsk,
    MarginModeAsk,
    MultiAssetAsk,
    OrderAsk,
    OrderKey,
    OrderListAsk,
    PositionMarginAsk,
    PositionModeAsk,
    RepayAsk,
    ReplaceAsk,
    SettingsAsk,
    SideEffectName,
    SideName,
    StateAsk,
    StpName,
    TifName,
    TransferAsk,
    TypeName,
)
from exchange.wire import asks as module
from matching.limits import (
    BATCH_ORDERS_MAX,
    CLIENT_ID_CHARS_MAX,
    ID_MAX,
    NUMBER_CHARS_MAX,
)
from matching.types import OrderType, SelfTrade, Side, TimeInForce, TradingState
from tests.story import small_venue

# One of each that says all it must, and nothing more.
ORDER = {"symbol": "BTC-USDT", "side": "buy", "type": "market", "qty": "1"}
PLACE = {"op": "order.place", **ORDER}  # As an item of a batch.
MONEY = {"wallet": "spot", "asset": "USDT", "amount": "1"}
LEAST: dict[type[Ask], dict[str, Any]] = {
    OrderAsk: ORDER,
    module.ExitAsk: {"trigger_price": "1"},
    BatchPlace: PLACE,
    BatchAmend: {"op": "order.amend", "order_id": 1, "qty": "1"},
    BatchCancel: {"op": "order.cancel", "order_id": 1},
    BatchAsk: {"orders": [PLACE]},
    OrderKey: {"order_id": 1},
    AmendAsk: {"order_id": 1, "qty": "1"},
    ReplaceAsk: {"cancel": {"order_id": 1}, "place": ORDER},
    module.PlaceListAsk: {"kind": "oco", "orders": [ORDER, ORDER]},
    module.CancelListAsk: {},
    module.ListKey: {},
    module.ListsAsk: {},
    module.CancelAllAsk: {},
    CancelAllAfterAsk: {"countdown_ms": 60_000},
    OrderListAsk: {},
    FaucetAsk: MONEY,
    TransferAsk: {"from": "spot", "to": "perp", "asset": "USDT", "amount": "1"},
    LoanAsk: MONEY,
    RepayAsk: {"wallet": "margin", "asset": "USDT"},
    DustAsk: {},
    FeeDiscountAsk: {"on": True},
    LeverageAsk: {"symbol": "BTC-USDT-PERP", "leverage": 10},
    MarginModeAsk: {"symbol": "BTC-USDT-PERP", "mode": "cross"},
    MarginLeverageAsk: {"leverage": 3},
    PositionMarginAsk: {"symbol": "BTC-USDT-PERP", "amount": "-1"},
    MultiAssetAsk: {"on": True},
    PositionModeAsk: {"hedge": True},
    SettingsAsk: {},
    AccountAsk: {},
    KeyAsk: {"permissions": ["read", "trade", "transfer"]},  # Made anew each time, so said.
    IndexAsk: {"price": "50000"},
    ClockAsk: {},
    StateAsk: {"state": "halt"},
}


def read(fields: dict[str, Any], kind: type[Ask]) -> Ask:
    return msgspec.json.decode(msgspec.json.encode(fields), type=kind)


def test_every_ask_has_a_line_of_the_table() -> None:
    kinds = {
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Ask) and kind is not Ask
    }
    assert kinds == LEAST.keys()


@pytest.mark.parametrize("kind", LEAST)
def test_an_ask_that_says_the_least_comes_back_as_it_was_sent(kind: type[Ask]) -> None:
    """What was not said is not sent: an older server reads it too."""
    asked = read(LEAST[kind], kind)
    assert msgspec.json.decode(msgspec.json.encode(asked)) == LEAST[kind]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(asked), type=kind) == asked


@pytest.mark.parametrize("kind", LEAST)
def test_an_unknown_field_is_refused_by_its_name(kind: type[Ask]) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `quantity`"):
        read(LEAST[kind] | {"quantity": "1"}, kind)


@pytest.mark.parametrize("kind", [kind for kind, fields in LEAST.items() if fields])
def test_a_field_that_must_be_there_is_missed_by_its_name(kind: type[Ask]) -> None:
    needed = {field.encode_name for field in msgspec.structs.fields(kind) if field.required}
    for name in needed:
        rest = {key: value for key, value in LEAST[kind].items() if key != name}
        with pytest.raises(msgspec.ValidationError, match=f"missing required field `{name}`"):
            read(rest, kind)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("qty", 1),  # Numbers are decimal text: a float would have lost digits already.
        ("qty", 0.1),
        ("price", "9" * (NUMBER_CHARS_MAX + 1)),
        ("side", "BUY"),
        ("type", "trailing_stop_limit"),
        ("tif", "gtc"),
        ("margin", "isolated:BTC-USDT"),
        ("side_effect", 1),
        ("stp", "expire"),
        ("expire_ms", -1),
        ("expire_ms", "1700000000000"),
        ("leverage", 0),
        ("trailing_bps", 0),
        ("trailing_bps", 10_000),
        ("leverage", 126),
        ("post_only", "true"),
        ("client_id", "a" * (CLIENT_ID_CHARS_MAX + 1)),
        ("client_id", "with a space"),
        ("client_id", "line\n"),
        ("client_id", "naïve"),
        ("client_id", None),
        ("symbol", "B" * 25),
    ],
)
def test_an_order_is_refused_for_a_field_out_of_its_range(name: str, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{name}"):
        read(ORDER | {name: value}, OrderAsk)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (OrderKey, {"order_id": 0}),
        (OrderKey, {"order_id": ID_MAX + 1}),
        (OrderListAsk, {"limit": 0}),
        (OrderListAsk, {"limit": 1_001}),
        (OrderListAsk, {"status": "closed"}),
        (MarginLeverageAsk, {"leverage": 4}),
        (MultiAssetAsk, {"on": 1}),
        (PositionModeAsk, {"hedge": "yes"}),
        (DustAsk, {"wallet": "margin"}),
        (DustAsk, {"assets": ["ETH"] * 51}),
        (FeeDiscountAsk, {"on": "yes"}),
        (KeyAsk, {"permissions": ["admin"]}),
        (KeyAsk, {"permissions": "read"}),
        (AccountAsk, {"label": "x" * 61}),
        (ClockAsk, {"speed": 0}),
        (ClockAsk, {"speed": 1_000_001}),
        (ClockAsk, {"step_ms": 0}),
        (StateAsk, {"state": "auctions"}),
        (BatchAsk, {"orders": []}),
        (BatchAsk, {"orders": [{"op": "order.list"}]}),
        (ReplaceAsk, {"mode": "maybe"}),
        (CancelAllAfterAsk, {"countdown_ms": -1}),
        (CancelAllAfterAsk, {"countdown_ms": 86_400_001}),
        (BatchAsk, {"orders": [PLACE] * (BATCH_ORDERS_MAX + 1)}),
    ],
)
def test_an_ask_out_of_its_range_is_refused(kind: type[Ask], fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(LEAST[kind] | fields, kind)


def test_the_bounds_are_those_of_the_core() -> None:
    """Written out in the wire, which clients share and the core is not part of."""
    longest = "Az09._:/-".ljust(CLIENT_ID_CHARS_MAX, "x")
    asked = read(ORDER | {"client_id": longest, "price": "1".zfill(NUMBER_CHARS_MAX)}, OrderAsk)
    assert isinstance(asked, OrderAsk)
    assert asked.client_id == longest
    read({"order_id": ID_MAX}, OrderKey)
    read({"orders": [PLACE] * BATCH_ORDERS_MAX}, BatchAsk)
    venue = small_venue()
    highest = max(perp.leverage_max for perp in venue.perps)
    read(ORDER | {"leverage": highest}, OrderAsk)
    for instrument in venue.instruments:
        read(ORDER | {"symbol": instrument.symbol}, OrderAsk)
        read(MONEY | {"wallet": f"isolated:{instrument.symbol}"}, FaucetAsk)


def test_the_words_are_those_of_a_market() -> None:
    """Enums are lower case, but for the time in force."""
    for words, kind in ((SideName, Side), (TypeName, OrderType), (StpName, SelfTrade)):
        assert set(get_args(words)) == {word.name.lower() for word in kind}
    assert set(get_args(TifName)) == {word.name for word in TimeInForce}
    (states,) = (field.type for field in msgspec.structs.fields(StateAsk))
    assert set(get_args(states)) == {word.name.lower() for word in TradingState}
    assert set(get_args(SideEffectName)) == {"none", "borrow", "repay", "borrow_repay"}


def test_a_transfer_goes_from_one_wallet_to_another_in_those_words() -> None:
    asked = read(LEAST[TransferAsk], TransferAsk)
    assert isinstance(asked, TransferAsk)
    assert (asked.source, asked.target) == ("spot", "perp")
    with pytest.raises(msgspec.ValidationError):
        read({"source": "spot", "target": "perp", "asset": "USDT", "amount": "1"}, TransferAsk)


def test_a_key_may_do_everything_unless_it_is_said_otherwise() -> None:
    first, second = KeyAsk(), KeyAsk()
    assert first.permissions == ["read", "trade", "transfer"]
    first.permissions.clear()
    assert second.permissions  # Not the same list.
