"""Asking why at a terminal: every formula above its numbers, or one JSON object."""

from __future__ import annotations

from typing import get_args, get_type_hints

from exchange.cli.why import KINDS, lines
from exchange.gateway.native.asks import WhyAsk
from exchange.wire import WhyInput, WhySay, WhyStep
from tests.exchange.cli.test_trade import Desk, desk

__all__ = ["desk"]  # The fixture: somebody at a terminal.

LEAF = WhySay("funding_rate", "X@1", 1, 0, "P9", "A rate.", [], [], [], [])
TREE = WhySay(
    "reject",
    "5",
    5,
    1_700_000_000_000,
    "S11",
    "It needs 3 USDT, and 2 is free.",
    [WhyInput("price", "1.5", "USDT", "the request"), WhyInput("qty", "2", "BTC", "the request")],
    [WhyStep("need", "Price times quantity", "price * qty", "1.5 * 2", "3", "USDT")],
    [WhyStep("refused", "More than is free", "need > 2", "3 > 2", "true", "")],
    [LEAF],
)


def test_each_formula_stands_above_its_numbers_and_children_are_indented() -> None:
    assert list(lines(TREE)) == [
        "reject 5, by rule S11, 2023-11-14 22:13:20 UTC",
        "  It needs 3 USDT, and 2 is free.",
        "  price  1.5 USDT  (the request)",
        "  qty    2 BTC     (the request)",
        "  need = price * qty  (Price times quantity)",
        "         1.5 * 2 = 3 USDT",
        "  refused: need > 2  (More than is free)",
        "           3 > 2 is true",
        "  funding_rate X@1, by rule P9, 1970-01-01 00:00:00 UTC",
        "    A rate.",
    ]


def test_every_kind_of_the_door_can_be_asked_for() -> None:
    assert get_args(get_type_hints(WhyAsk)["kind"]) == KINDS


async def test_a_fill_is_explained_by_the_name_it_carries(desk: Desk) -> None:
    await desk.bob.order("BTC-USDT-PERP", "sell", "0.1", price="50000")
    placed = await desk.type_json("buy", "BTC-USDT-PERP", "0.1")
    (fill,) = placed["fills"]
    out = await desk.type("why", fill["why"])
    assert "fee = ceil(notional * fee_rate, 8)" in out
    assert "Bought 0.1 BTC at 50000 as taker" in out
    kind, _, of = fill["why"].partition("/")
    said = await desk.type_json("why", kind, of)
    assert (said["kind"], said["id"]) == (kind, of)


async def test_a_refusal_names_by_what_to_ask(desk: Desk) -> None:
    await desk.type("buy", "BTC-USDT", "3", "--price", "50000", code=1)
    name = desk.err.partition("why ")[2].split("]")[0]
    out = await desk.type("why", name)
    assert "150000 > 100000 is true" in out


async def test_what_is_no_kind_or_no_decision_is_said(desk: Desk) -> None:
    await desk.type("why", "weather", "1", code=2)
    await desk.type("why", "fill", code=2)
    await desk.type("why", "reject", "1", code=1)
    assert "NOT_FOUND" in desk.err
