"""Tests of the trees of liquidations: what fell to what, and each step to the end."""

from __future__ import annotations

import pytest

from exchange.commands import Borrow, SetIndexPrice, SetMarginMode, Transfer
from exchange.events import LiquidationEnded, LiquidationStarted, LiquidationStepped
from exchange.why.liquidations import liquidation_tree
from exchange.wire.why import WhySay
from matching.types import Side
from tests.exchange.why.retracing import held, numbers_of, retrace
from tests.story import Story, of, small_venue, units

PERP = "BTC-USDT-PERP"


def the_tree(story: Story) -> WhySay:
    (started,) = of(story.events, LiquidationStarted)
    steps = [
        event for event in story.events if isinstance(event, LiquidationStepped | LiquidationEnded)
    ]
    return liquidation_tree(started, steps, story.engine.instruments, "USDT")


@pytest.mark.parametrize("isolated", [True, False])
def test_p13_a_perpetual_tells_balance_maintenance_and_its_steps(isolated: bool) -> None:
    story = Story()
    one, two = story.account(perp_USDT="600"), story.account(perp_USDT="100000")
    if isolated:
        story.ok(SetMarginMode, account_id=one, symbol=PERP, isolated=True)
    story.place(two, Side.SELL, PERP, "0.1", "50000")
    story.place(one, Side.BUY, PERP, "0.1", "50000")
    story.place(two, Side.BUY, PERP, "0.1", "49400")
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("44000"))
    story.wait(1_000)
    tree = the_tree(story)
    assert retrace(tree) >= 6
    assert held(tree)
    assert (tree.rule, tree.kind) == ("P13", "liquidation")
    told = numbers_of(tree)
    assert (told["position_1"], told["cost_1"]) == ("0.1", "5000")
    assert [child.rule for child in tree.children][:1] == ["P13.5"]
    assert tree.children[-1].inputs[0].value in ("closed", "bankrupt", "restored")


def test_m10_spot_margin_tells_assets_debts_level_and_its_steps() -> None:
    story = Story()
    one, two = story.account(margin_USDT="1000"), story.account(spot_BTC="10", spot_USDT="90000")
    story.ok(Borrow, account_id=one, wallet="margin", asset="USDT", amount_minor=units("1900"))
    story.place(two, Side.SELL, "BTC-USDT", "0.05", "50000")
    story.place(one, Side.BUY, "BTC-USDT", "0.05", "50000", wallet="margin")
    story.place(two, Side.BUY, "BTC-USDT", "0.1", "33000")
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("33000"))
    for _ in range(5):
        story.wait(1_000)
    tree = the_tree(story)
    assert retrace(tree) >= 4
    assert held(tree)
    assert tree.rule == "M10"
    assert tree.children
    assert {child.kind for child in tree.children} == {"liquidation_step"}
    assert tree.children[-1].says.startswith("It ended")


def test_p13_an_inverse_contract_tells_its_sums_in_its_quote() -> None:
    """10,000 USD long at 50,000 on 0.022 BTC, at 44,000: 10,000 / 50,000 of a coin was paid."""
    symbol = "BTC-USD-PERP"
    story = Story(small_venue(symbols=("BTC-USDT", "BTC-USDT-PERP", symbol)))
    one, two = story.account(spot_BTC="1"), story.account(spot_BTC="60")
    for account_id, amount in ((one, "0.022"), (two, "50")):
        story.ok(
            Transfer,
            account_id=account_id,
            source="spot",
            target="perp:BTC",
            asset="BTC",
            amount_minor=units(amount),
        )
    story.place(two, Side.SELL, symbol, "100", "50000")
    story.place(one, Side.BUY, symbol, "100", "50000")
    story.place(two, Side.BUY, symbol, "100", "49500")
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("44000"))
    story.wait(1_000)
    tree = the_tree(story)
    assert retrace(tree) >= 5
    assert held(tree)
    numbers = numbers_of(tree)
    assert (numbers["position_1"], numbers["cost_1"]) == ("10000", "-0.2")
    assert numbers["notional_1"] == "10000"
    assert tree.says.endswith("USD.")
