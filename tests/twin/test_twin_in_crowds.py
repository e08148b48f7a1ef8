"""One order meets more others than a command may fill, and a price wakes a crowd (S1, S4, T11)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from exchange.commands import PlaceOrder, SetIndexPrice
from matching.types import OrderType, SelfTrade, Side, TimeInForce
from tests.twin.duel import Duel
from tests.twin.lives import at_least
from tests.twin.market import CROWDED, E8, PAIR, PERP

PEOPLE = 7  # The last of them takes.
ORDERS_OF_EACH = 190  # 6 x 190 = 1,140, more than the thousand fills of one command.


def crowd(symbol: str, side: Side, seed: int) -> Duel:
    """A book on which six people rest more orders than one taker may meet."""
    duel, random = Duel(PEOPLE, CROWDED), Random(seed)
    duel.do(SetIndexPrice(base="BTC", quote="USDT", price_e8=50_000 * E8), 2_000)
    for n in range(6 * ORDERS_OF_EACH):
        away = random.randint(1, 8)
        lots = random.choice((1, 1, 2, 3, 10))
        wish = PlaceOrder(
            account_id=duel.people[n % 6],
            symbol=symbol,
            side=side,
            lots=lots,
            price_ticks=500 + away if side is Side.SELL else 500 - away,
            iceberg_lots=1 if lots == 10 else 0,
            wallet="perp" if symbol == PERP else "spot",
        )
        duel.do(wish)
    return duel


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("symbol", "side"), [(PAIR, Side.SELL), (PERP, Side.BUY)])
def test_s1_a_taker_that_met_a_thousand_expires_for_the_rest(symbol: str, side: Side) -> None:
    duel = crowd(symbol, side, seed=1)
    wish = PlaceOrder(
        account_id=duel.people[6],
        symbol=symbol,
        side=side.opposite,
        type=OrderType.MARKET,
        lots=5_000,
        wallet="perp" if symbol == PERP else "spot",
    )
    ticks = 509 if side is Side.SELL else 491
    limit: dict[str, Any] = {"type": OrderType.LIMIT, "price_ticks": ticks}
    again: list[dict[str, Any]] = [
        {"account_id": duel.people[0], "stp": SelfTrade.EXPIRE_MAKER, **limit},
        {"account_id": duel.people[1], "stp": SelfTrade.DECREMENT},
        {**limit, "tif": TimeInForce.FOK},
        {},
    ]
    told = duel.do(wish)
    assert sum(what == "trade" for what, *_ in told) == 1_000
    for changes in again:
        duel.do(_changed(wish, **changes))
    duel.compare_whole()
    at_least(duel.seen, {"order FILLS_LIMIT": 1, "trade": 1_500, "order FOK_UNFILLABLE": 1})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("symbol", [PAIR, PERP])
def test_t11_a_price_wakes_a_crowd_one_after_the_other(symbol: str) -> None:
    """Each stop that wakes sells a little further down, and so wakes the next ones."""
    duel, random = Duel(PEOPLE, CROWDED), Random(3)
    wallet: dict[str, Any] = {"wallet": "perp" if symbol == PERP else "spot", "symbol": symbol}
    maker = duel.people[6]
    duel.do(SetIndexPrice(base="BTC", quote="USDT", price_e8=50_000 * E8), 2_000)
    duel.do(PlaceOrder(account_id=maker, lots=1, price_ticks=500, **wallet))
    duel.do(
        PlaceOrder(account_id=duel.people[0], lots=1, side=Side.SELL, price_ticks=500, **wallet)
    )
    for ticks in range(491, 500):
        duel.do(PlaceOrder(account_id=maker, lots=14, price_ticks=ticks, **wallet))
    for n in range(6 * 20):
        stop = PlaceOrder(
            account_id=duel.people[n % 6],
            side=Side.SELL,
            type=random.choice((OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)),
            lots=1,
            **wallet,
        )
        if stop.type is OrderType.STOP_LIMIT:
            stop = _changed(stop, price_ticks=495)
        if stop.type is OrderType.TRAILING_STOP:
            stop = _changed(stop, trailing_bps=random.choice((20, 60, 100)))
        else:
            stop = _changed(stop, trigger_ticks=random.randint(493, 499))
        duel.do(stop)
    told = duel.do(PlaceOrder(account_id=maker, lots=1, price_ticks=500, **wallet))
    told += duel.do(
        PlaceOrder(account_id=duel.people[0], lots=16, side=Side.SELL, price_ticks=498, **wallet)
    )
    woken = [each for each in told if each[:2] == ("order", "triggered")]
    assert len(woken) > 50
    duel.compare_whole()


def _changed(wish: PlaceOrder, **changes: Any) -> PlaceOrder:
    fields: dict[str, Any] = {name: getattr(wish, name) for name in wish.__struct_fields__}
    return PlaceOrder(**fields | changes)
