"""Tests of the trees of margin calls: each asset, each debt, the level, and what to add."""

from __future__ import annotations

from exchange.commands import Borrow, Repay, SetIndexPrice
from exchange.events import MarginCalled
from exchange.why.calls import call_tree
from matching.types import Side
from tests.exchange.why.retracing import held, numbers_of, retrace
from tests.story import Story, of, units


def called() -> tuple[Story, int]:
    """1000 of its own and 1900 borrowed, 0.05 BTC bought at 50000, which falls to 41000."""
    story = Story()
    one, two = story.account(margin_USDT="1000"), story.account(spot_BTC="10")
    story.ok(Borrow, account_id=one, wallet="margin", asset="USDT", amount_minor=units("1900"))
    story.place(two, Side.SELL, "BTC-USDT", "0.05", "50000")
    story.place(one, Side.BUY, "BTC-USDT", "0.05", "50000", wallet="margin")
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("41000"))
    story.wait(1_000)
    return story, one


def test_m9_a_call_tells_its_level_and_what_to_add() -> None:
    story, _ = called()
    (event,) = of(story.events, MarginCalled)
    tree = call_tree(event, "USDT")
    assert retrace(tree) == 5
    assert held(tree)
    told = numbers_of(tree)
    assert told["held_usdt"] == "400"  # 1000 + 1900 - 2500.
    assert told["price_btc"] == "41000"
    assert tree.rule == "M9"
    assert told["add"] in tree.says


def test_m9_a_call_that_ended_says_by_what() -> None:
    story, one = called()
    story.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("50000"))
    story.wait(1_000)
    event = of(story.events, MarginCalled)[-1]
    assert event.cleared
    tree = call_tree(event, "USDT")
    assert retrace(tree) == 4
    assert not held(tree)
    assert "ended" in tree.says
    assert story.person(one).loans


def test_m9_a_call_ends_with_the_debt() -> None:
    story, one = called()
    story.deposit(one, "margin", "USDT", "2000")
    story.ok(Repay, account_id=one, wallet="margin", asset="USDT")
    story.wait(1_000)
    event = of(story.events, MarginCalled)[-1]
    tree = call_tree(event, "USDT")
    assert retrace(tree) == 2
    assert tree.says == "The margin call on margin ended: nothing is owed any more."
