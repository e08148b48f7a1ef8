"""Tests of what the engine refuses: nothing has changed but number and time."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import (
    AdjustPositionMargin,
    AmendOrder,
    Borrow,
    CancelAll,
    CancelOrder,
    Deposit,
    FeedPrices,
    PlaceOrder,
    Repay,
    SetIndexPrice,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    SetSymbolState,
    Transfer,
)
from matching.reasons import Reason
from matching.types import Side
from tests.story import Story, answer, refusal, standing, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"

Refused = tuple[type, dict[str, Any], Reason]  # A command, its fields, and why not.


@pytest.fixture
def story() -> Story:
    return Story()


def refused_orders(one: int, order: int) -> list[Refused]:
    """Of an account with 1,000 USDT in each of three wallets, and one order open."""
    spot = {"account_id": one, "symbol": SPOT, "side": Side.BUY}
    perp = spot | {"symbol": PERP, "wallet": "perp", "lots": 10_000, "price_ticks": 500_000}
    return [
        (PlaceOrder, spot | {"symbol": "NO-NE"}, Reason.UNKNOWN_SYMBOL),
        (PlaceOrder, spot | {"price_ticks": 5_000_000}, Reason.QTY_MISSING),
        # 1 BTC at 50,000: fifty times what the account has.
        (
            PlaceOrder,
            spot | {"lots": 100_000, "price_ticks": 5_000_000},
            Reason.INSUFFICIENT_BALANCE,
        ),
        # 10 BTC at 50,000 and 20x need 25,000.
        (PlaceOrder, perp, Reason.INSUFFICIENT_MARGIN),
        (PlaceOrder, perp | {"leverage": 20}, Reason.INSUFFICIENT_MARGIN),
        (PlaceOrder, perp | {"leverage": 126}, Reason.LEVERAGE_OUT_OF_RANGE),
        (PlaceOrder, perp | {"lots": 1, "price_ticks": 600_000}, Reason.PRICE_BAND),
        # Borrowing 499,000 against 1,000.
        (
            PlaceOrder,
            spot
            | {"lots": 1_000_000, "price_ticks": 5_000_000, "wallet": "margin", "side_effect": 1},
            Reason.COLLATERAL_TOO_LOW,
        ),
        (CancelOrder, {"order_id": order + 1}, Reason.UNKNOWN_ORDER),
        (CancelOrder, {"client_id": "nobody's"}, Reason.UNKNOWN_ORDER),
        (CancelAll, {"symbol": "NO-NE"}, Reason.UNKNOWN_SYMBOL),
        (AmendOrder, {"order_id": order + 1, "lots": 5}, Reason.UNKNOWN_ORDER),
        (AmendOrder, {"order_id": order}, Reason.NOTHING_TO_AMEND),
        (AmendOrder, {"order_id": order, "price_ticks": 11_000_000}, Reason.PERCENT_PRICE),
        # 0.09 at 50,000 costs 4,500; there are 500, and 500 that the order holds itself.
        (AmendOrder, {"order_id": order, "lots": 9_000}, Reason.INSUFFICIENT_BALANCE),
        (AmendOrder, {"order_id": order, "lots": 1}, Reason.NOTIONAL_TOO_SMALL),
    ]


def refused_money(one: int, order: int) -> list[Refused]:
    """Of the same account."""
    return [
        (
            Transfer,
            {"source": "spot", "target": "perp", "asset": "USDT", "amount_minor": units("501")},
            Reason.INSUFFICIENT_BALANCE,
        ),
        (
            Borrow,
            {"wallet": "margin", "asset": "USDT", "amount_minor": units("2001")},
            Reason.COLLATERAL_TOO_LOW,
        ),
        (Repay, {"wallet": "margin", "asset": "USDT"}, Reason.NOTHING_OWED),
        (SetLeverage, {"symbol": SPOT, "leverage": 5}, Reason.UNKNOWN_SYMBOL),
        (SetLeverage, {"symbol": PERP, "leverage": 0}, Reason.LEVERAGE_OUT_OF_RANGE),
        (SetMarginMode, {"symbol": SPOT, "isolated": True}, Reason.UNKNOWN_SYMBOL),
        (SetMarginLeverage, {"leverage": 4}, Reason.LEVERAGE_OUT_OF_RANGE),
        (AdjustPositionMargin, {"symbol": PERP, "amount_minor": 1}, Reason.NO_POSITION),
        (
            Deposit,
            {"wallet": "perp", "asset": "BTC", "amount_minor": 1},
            Reason.ASSET_NOT_IN_WALLET,
        ),
        (
            Deposit,
            {"wallet": "spot", "asset": "USDT", "amount_minor": 0},
            Reason.AMOUNT_NOT_POSITIVE,
        ),
        (
            Deposit,
            {"wallet": "spot", "asset": "USDT", "amount_minor": 10**17 + 1},
            Reason.AMOUNT_TOO_LARGE,
        ),
    ]


def all_refused(one: int, order: int) -> list[Refused]:
    return refused_orders(one, order) + refused_money(one, order)


@pytest.mark.parametrize("index", range(len(all_refused(0, 0))))
def test_a_refusal_changes_nothing_but_number_and_time(story: Story, index: int) -> None:
    one = story.account(spot_USDT="1000", margin_USDT="1000", perp_USDT="1000")
    order = answer(story.buy(one, SPOT, "0.01", "50000")).result_id
    kind, fields, reason = all_refused(one, order)[index]
    before = standing(story.engine)
    events = story.do(kind, **({"account_id": one} | fields))
    assert refusal(events) is reason
    assert events == [events[-1]]
    assert standing(story.engine) == before


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (SetIndexPrice, {"base": "X", "quote": "USDT", "price_e8": 1}, Reason.UNKNOWN_SYMBOL),
        (
            SetIndexPrice,
            {"base": "BTC", "quote": "USDT", "price_e8": 0},
            Reason.AMOUNT_NOT_POSITIVE,
        ),
        (
            SetIndexPrice,  # The highest price of BTC-USDT is 10^9 ticks of 0.01.
            {"base": "BTC", "quote": "USDT", "price_e8": units("10000000.01")},
            Reason.PRICE_OUT_OF_RANGE,
        ),
        (SetSymbolState, {"symbol": "NO-NE", "state": "halt"}, Reason.UNKNOWN_SYMBOL),
        (SetSymbolState, {"symbol": SPOT, "state": "asleep"}, Reason.FIELD_OUT_OF_RANGE),
        (FeedPrices, {"feed": "a stranger"}, Reason.UNKNOWN_SYMBOL),
    ],
)
def test_a_refusal_to_an_administrator_changes_nothing_either(
    story: Story, kind: type, fields: dict[str, Any], reason: Reason
) -> None:
    before = standing(story.engine)
    events = story.do(kind, **fields)
    assert (refusal(events), len(events)) == (reason, 1)
    assert standing(story.engine) == before


def test_a_refused_order_leaves_the_margin_its_leverage_would_have_released() -> None:
    """Isolated long 1 at 50,000 and 10x: margin 5,000, to which 700 were added. At 20x 2,500 would
    do, and 3,200 be released; the order of 100 BTC beside it is refused, so nothing is."""
    story = Story()
    long = story.account(perp_USDT="10000")
    short = story.account(perp_USDT="100000")
    story.ok(SetMarginMode, account_id=long, symbol=PERP, isolated=True)
    story.sell(short, PERP, "1", "50000")
    story.buy(long, PERP, "1", "50000")
    story.ok(AdjustPositionMargin, account_id=long, symbol=PERP, amount_minor=units("700"))
    before = standing(story.engine)
    refused = story.buy(long, PERP, "100", "50000", leverage=20)
    assert refusal(refused) is Reason.INSUFFICIENT_MARGIN
    assert standing(story.engine) == before
    assert story.person(long).minor(f"perp/{PERP}", "USDT") == units("5700")
