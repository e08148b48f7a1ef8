"""Tests of what is foretold: a preview's tree is the tree of what then happens, but for its ids."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import PlaceOrder, SetLeverage, SetMarginMode, SetSymbolState
from exchange.events import Filled
from exchange.preview import preview
from exchange.why.fills import fill_tree
from exchange.why.rejects import reject_tree
from matching.reasons import Reason
from matching.types import OrderType, Side, TimeInForce
from tests.exchange.why.retracing import alike, retrace
from tests.story import Story, answer, of, standing

SPOT, PERP = "BTC-USDT", "BTC-USDT-PERP"


@pytest.fixture
def story() -> Story:
    """A maker with three prices on either side, on spot and on the perpetual."""
    story = Story()
    maker = story.account(spot_USDT="900000", spot_BTC="20", perp_USDT="900000")
    for symbol in (SPOT, PERP):
        for away in (10, 20, 30):
            story.place(maker, Side.SELL, symbol, "0.1", f"{50_000 + away}")
            story.place(maker, Side.BUY, symbol, "0.1", f"{50_000 - away}")
    return story


def wish_of(story: Story, who: int, symbol: str, side: Side, qty: str, **more: Any) -> PlaceOrder:
    instrument = story.engine.instruments[symbol]
    lots = instrument.lots(qty)
    assert isinstance(lots, int)
    spot = instrument.kind == "spot"
    fields: dict[str, Any] = {
        "type": OrderType.LIMIT if "price_ticks" in more else OrderType.MARKET,
        "wallet": "spot" if spot else "perp",
        "lots": lots,
    }
    return PlaceOrder(account_id=who, symbol=symbol, side=side, **{**fields, **more})


def same_fills(story: Story, wish: PlaceOrder) -> list[Filled]:
    """Preview, then place: the fills, whose trees are as they were foretold."""
    before = standing(story.engine)
    instrument = story.engine.instruments[wish.symbol]
    found = preview(story.engine, wish)
    assert found.reason is None
    assert standing(story.engine) == before
    named = {name: getattr(wish, name) for name in wish.__struct_fields__}
    events = story.do(PlaceOrder, **{k: v for k, v in named.items() if k not in ("seq", "time_ms")})
    mine = [each for each in of(events, Filled) if each.account_id == wish.account_id]
    foretold = [alike(fill_tree(each, instrument)) for each in found.fills]
    assert foretold == [alike(fill_tree(each, instrument)) for each in mine]
    for each in mine:
        retrace(fill_tree(each, instrument))
    return mine


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_fills_of_a_spot_order_are_foretold(story: Story, side: Side) -> None:
    one = story.account(spot_USDT="50000", spot_BTC="1")
    assert len(same_fills(story, wish_of(story, one, SPOT, side, "0.25"))) == 3


@pytest.mark.parametrize("isolated", [True, False])
def test_the_fills_of_a_perpetual_order_are_foretold_opening_closing_and_flipping(
    story: Story, isolated: bool
) -> None:
    one = story.account(perp_USDT="20000")
    story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=isolated)
    for side, qty, count in ((Side.BUY, "0.15", 2), (Side.SELL, "0.05", 1), (Side.SELL, "0.2", 3)):
        assert len(same_fills(story, wish_of(story, one, PERP, side, qty, leverage=20))) == count


def test_what_would_rest_is_no_fill(story: Story) -> None:
    """Of 0.25 at 50015 one price is taken, and the rest waits."""
    one = story.account(perp_USDT="20000")
    wish = wish_of(story, one, PERP, Side.BUY, "0.25", price_ticks=500_150)
    assert len(same_fills(story, wish)) == 1


def refused_alike(story: Story, wish: PlaceOrder) -> Reason:
    """Preview, then place: the refusal's tree is as it was foretold."""
    found = preview(story.engine, wish)
    assert found.refusal is not None
    assert found.fills == ()
    named = {name: getattr(wish, name) for name in wish.__struct_fields__}
    events = story.do(PlaceOrder, **{k: v for k, v in named.items() if k not in ("seq", "time_ms")})
    instruments = story.engine.instruments
    said = answer(events)
    assert said.reason is found.reason
    tree = reject_tree(said, instruments, "USDT")
    retrace(tree)
    assert alike(reject_tree(found.refusal, instruments, "USDT")) == alike(tree)
    assert said.reason is not None
    return said.reason


REFUSED: list[tuple[Reason, str, dict[str, Any]]] = [
    (Reason.INSUFFICIENT_BALANCE, SPOT, {"qty": "0.2"}),
    (Reason.INSUFFICIENT_BALANCE, SPOT, {"qty": "0.2", "price_ticks": 5_000_000}),
    (Reason.INSUFFICIENT_BALANCE, SPOT, {"qty": "3", "side": Side.SELL, "price_ticks": 5_000_000}),
    (Reason.COLLATERAL_TOO_LOW, SPOT, {"qty": "0.2", "wallet": "margin", "side_effect": 1}),
    (Reason.INSUFFICIENT_MARGIN, PERP, {"qty": "0.2"}),
    (Reason.INSUFFICIENT_MARGIN, PERP, {"qty": "0.2", "leverage": 2}),
    (Reason.BRACKET_EXCEEDED, PERP, {"qty": "5", "leverage": 125, "price_ticks": 500_000}),
    (Reason.LEVERAGE_OUT_OF_RANGE, PERP, {"qty": "0.1", "leverage": 126}),
    (Reason.PRICE_BAND, PERP, {"qty": "0.1", "price_ticks": 600_000}),
    (Reason.PERCENT_PRICE, SPOT, {"qty": "0.1", "price_ticks": 90_000_000}),
    (Reason.NOTIONAL_TOO_SMALL, SPOT, {"qty": "0.00001", "price_ticks": 5_000_000}),
    (Reason.QTY_OUT_OF_RANGE, SPOT, {"qty": "1", "lots": 10**12, "price_ticks": 5_000_000}),
    (Reason.REDUCE_ONLY_WOULD_INCREASE, PERP, {"qty": "0.1", "reduce_only": True}),
    (
        Reason.WOULD_TAKE,
        SPOT,
        {"qty": "0.001", "price_ticks": 5_002_000, "post_only": True, "tif": TimeInForce.GTC},
    ),
]


@pytest.mark.parametrize(("reason", "symbol", "fields"), REFUSED)
def test_a_refusal_is_foretold(
    story: Story, reason: Reason, symbol: str, fields: dict[str, Any]
) -> None:
    one = story.account(spot_USDT="1000", perp_USDT="200", margin_USDT="10")
    more = dict(fields)
    side, qty = more.pop("side", Side.BUY), more.pop("qty")
    wish = wish_of(story, one, symbol, side, qty, **more)
    assert refused_alike(story, wish) is reason


def test_a_halt_is_foretold(story: Story) -> None:
    one = story.account(spot_USDT="1000")
    story.ok(SetSymbolState, symbol=SPOT, state="halt")
    wish = wish_of(story, one, SPOT, Side.BUY, "0.001")
    assert refused_alike(story, wish) is Reason.SYMBOL_NOT_TRADING


def test_a_preview_leaves_nothing_for_the_next_command_to_tell(story: Story) -> None:
    one = story.account(spot_USDT="1000")
    assert preview(story.engine, wish_of(story, one, SPOT, Side.BUY, "0.2")).refusal is not None
    done = answer(story.do(SetLeverage, account_id=one, symbol=PERP, leverage=7))
    assert (done.reason, done.details) == (None, {})
