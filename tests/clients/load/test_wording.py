"""Tests of the wording: items of a plan as requests that the wire knows."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.load.plan import Item, make_plan
from clients.load.wording import Market, NativeWording
from exchange.wire import AmendAsk, OrderAsk, OrderKey, SubscribeAsk
from tests.clients.load.worlds import MARKETS, shape, wording
from tests.clients.wire_samples import instrument

ASKS = {
    "order.place": OrderAsk,
    "order.amend": AmendAsk,
    "order.cancel": OrderKey,
    "subscribe": SubscribeAsk,
    "unsubscribe": SubscribeAsk,
}


def said(item: Item, number: int = 7) -> dict[str, object]:
    fields: dict[str, object] = msgspec.json.decode(wording().text(number, item))
    return fields | {
        name: Decimal(str(fields[name])) for name in ("qty", "price") if name in fields
    }


def test_every_request_of_a_plan_is_one_that_the_wire_knows() -> None:
    ops = set()
    for number, item in enumerate(make_plan(shape()).items):
        fields = msgspec.json.decode(wording().text(number, item))
        assert fields.pop("id") == number
        op = str(fields.pop("op"))
        msgspec.convert(fields, ASKS[op])  # An unknown field would be refused by name.
        ops.add(op)
    assert ops == set(ASKS)


def test_a_placed_order_rests_below_to_buy_and_above_to_sell() -> None:
    # 0.5 % of 50,000 is 250. Twice the notional minimum of 5, at 50,000, is 0.0002, 20 lots.
    buy = Item(0, 3, "place", "BTC-USDT", "buy", order=9, size=2, distance_bps=50)
    assert said(buy) == {
        "id": 7,
        "op": "order.place",
        "symbol": "BTC-USDT",
        "side": "buy",
        "type": "limit",
        "qty": Decimal("0.0004"),
        "price": Decimal(49_750),
        "client_id": "run-3-9",
    }
    sell = msgspec.structs.replace(buy, side="sell")
    assert said(sell)["price"] == Decimal(50_250)


def test_amend_and_cancel_name_the_order_as_it_was_placed() -> None:
    amend = Item(0, 3, "amend", "BTC-USDT", "sell", order=9, size=2, distance_bps=400)
    # 4 % above 50,000.
    assert said(amend) == {
        "id": 7,
        "op": "order.amend",
        "client_id": "run-3-9",
        "price": Decimal(52_000),
    }
    cancel = msgspec.structs.replace(amend, kind="cancel")
    assert said(cancel) == {"id": 7, "op": "order.cancel", "client_id": "run-3-9"}


def test_a_take_is_a_market_order() -> None:
    take = Item(0, 0, "take", "BTC-USDT-PERP", "sell", order=1, size=3)
    fields = said(take)
    assert (fields["type"], fields["qty"]) == ("market", Decimal("0.003"))
    assert "price" not in fields


def test_subscriptions_begin_and_end() -> None:
    join = Item(0, 0, "subscribe", "BTC-USDT", channel="book.BTC-USDT")
    assert said(join) == {"id": 7, "op": "subscribe", "channels": ["book.BTC-USDT"]}
    assert said(msgspec.structs.replace(join, leave=True))["op"] == "unsubscribe"


@given(
    reference=st.decimals(Decimal("0.001"), 100_000, places=5),
    tick=st.sampled_from(["0.1", "0.01", "0.00001"]),
    lot=st.sampled_from(["1", "0.1", "0.001", "0.00001"]),
    distance_bps=st.integers(5, 40).map(lambda step: step * 10),
    side=st.sampled_from(["buy", "sell"]),
)
def test_prices_are_on_the_tick_and_quantities_on_the_lot_and_large_enough(
    reference: Decimal, tick: str, lot: str, distance_bps: int, side: str
) -> None:
    market = Market.of(instrument("BTC-USDT", tick=tick, lot=lot, qty_min=lot), reference)
    price, qty = Decimal(market.price(side, distance_bps)), Decimal(market.size(1))
    assert price > 0
    assert price % Decimal(tick) == 0
    assert qty > 0
    assert qty % Decimal(lot) == 0
    # Also 4 % below the reference, give or take a tick, it is worth the minimum of 5.
    lowest = max(Decimal(market.price("buy", 400)), Decimal(tick))
    if reference >= 100 * Decimal(tick):
        assert lowest * qty >= 5


@pytest.mark.parametrize(("least", "qty"), [("0.00001", "0.0002"), ("0.5", "0.5")])
def test_the_smallest_size_is_also_the_least_the_venue_takes(least: str, qty: str) -> None:
    market = Market.of(instrument("BTC-USDT", qty_min=least), Decimal(50_000))
    assert market.size(1) == qty


def test_no_name_of_an_order_is_longer_than_the_wire_lets_it_be() -> None:
    # The longest: a thousand connections, a million requests.
    name = NativeWording(MARKETS, "load-abcdef").client_id(999, 1_000_000)
    assert msgspec.convert({"client_id": name}, OrderKey).client_id == name
