"""Tests of the trees of refusals: what was asked, what there was, and what decided."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.events import Answered
from exchange.why.rejects import PLAIN_RULES, TOLD, reject_tree
from matching.reasons import Reason
from tests.exchange.events_by_hand import INSTRUMENTS
from tests.exchange.why.retracing import held, retrace

E8, E16, E28 = 10**8, 10**16, 10**28
SPOT, PERP = "BTC-USDT", "BTC-USDT-PERP"
ASKED: dict[str, Any] = {"asset": "USDT", "asked_minor": 10 * E8}

REFUSED: list[tuple[Reason, dict[str, Any], str]] = [
    (
        Reason.INSUFFICIENT_MARGIN,
        {
            "rule": "P4",
            "symbol": PERP,
            "leverage": 10,
            "mark_e8": 50_000 * E8,
            "before_e16": 0,
            "after_e16": 1_225 * E16,
            "held_e16": 5 * E16 // 2,
            "asked_e16": 12_275 * E16 // 10,
            "balance_e16": 1_000 * E16,
            "initial_e16": 200 * E16,
            "orders_e16": 20 * E16,
            "kept_e16": 10 * E16,
            "available_e16": 770 * E16,
        },
        "770 < 1227.5",
    ),
    (
        Reason.INSUFFICIENT_MARGIN,
        {
            "rule": "P17",
            "symbol": PERP,
            "leverage": 2,
            "leverage_before": 10,
            "asked_e16": 9 * E16,
            "available_e16": 5 * E16,
        },
        "9 > 5",
    ),
    (Reason.INSUFFICIENT_MARGIN, {"rule": "P5", **ASKED, "most_minor": 5 * E8}, "10 > 5"),
    (
        Reason.INSUFFICIENT_BALANCE,
        {
            "rule": "S11",
            "symbol": SPOT,
            "wallet": "spot",
            "asset": "USDT",
            "side": "buy",
            "price_ticks": 5_000_000,
            "qty_lots": 50_000,
            "spend_minor": 0,
            "hold_rate_e12": 10**9,
            "need_minor": 25_025 * E8,  # 0.5 x 50000, and 0.1 % of it.
            "free_minor": 1_000 * E8,
        },
        "25025 > 1000",
    ),
    (
        Reason.INSUFFICIENT_BALANCE,
        {
            "rule": "S11",
            "symbol": SPOT,
            "asset": "BTC",
            "side": "sell",
            "price_ticks": 0,
            "qty_lots": 50_000,
            "spend_minor": 0,
            "hold_rate_e12": 0,
            "need_minor": E8 // 2,
            "free_minor": 0,
        },
        "0.5 > 0",
    ),
    (
        Reason.INSUFFICIENT_BALANCE,
        {
            "rule": "S11",
            "symbol": SPOT,
            "asset": "USDT",
            "side": "buy",
            "price_ticks": 0,
            "qty_lots": 50_000,
            "spend_minor": 0,
            "hold_rate_e12": 0,
            "need_minor": 25_100 * E8,
            "free_minor": 0,
        },
        "25100 > 0",
    ),
    (Reason.INSUFFICIENT_BALANCE, {"rule": "I5", **ASKED, "free_minor": 0}, "10 > 0"),
    (
        Reason.BRACKET_EXCEEDED,
        {
            "rule": "P3",
            "symbol": PERP,
            "leverage": 125,
            "reach_lots": 10_000,
            "price_e8": 50_000 * E8,
            "notional_e16": 500_000 * E16,
            "cap_minor": 50_000 * E8,
        },
        "500000 > 50000",
    ),
    (
        Reason.REDUCE_ONLY_WOULD_INCREASE,
        {"rule": "P15", "symbol": PERP, "side": "sell", "position_lots": -3},
        "(-0.003) <= 0",
    ),
    (
        Reason.REDUCE_ONLY_WOULD_INCREASE,
        {"rule": "P15", "symbol": PERP, "side": "buy", "position_lots": 3},
        "0.003 >= 0",
    ),
    (
        Reason.LEVERAGE_OUT_OF_RANGE,
        {"rule": "P2", "symbol": PERP, "leverage": 126, "leverage_max": 125},
        "abs(2 * 126 - 1 - 125) > 125 - 1",
    ),
    (
        Reason.LEVERAGE_OUT_OF_RANGE,
        {"rule": "P2", "symbol": PERP, "leverage": 0, "leverage_max": 125},
        "abs(2 * 0 - 1 - 125) > 125 - 1",
    ),
    (Reason.INSUFFICIENT_INVENTORY, {"rule": "M2", **ASKED, "pool_minor": E8}, "10 > 1"),
    (
        Reason.BORROW_LIMIT,
        {"rule": "M5", **ASKED, "owed_minor": 5 * E8, "limit_minor": 12 * E8},
        "5 + 10 > 12",
    ),
    (
        Reason.COLLATERAL_TOO_LOW,
        {
            "rule": "M5",
            **ASKED,
            "most_minor": 2 * E8,
            "collateral_e28": 15 * E28,
            "debts_e28": 9 * E28,
            "initial_e12": 15 * 10**11,
            "price_e8": E8,
        },
        "10 > 2",
    ),
    (
        Reason.TRANSFER_WOULD_BREACH_MARGIN,
        {"rule": "M5", **ASKED, "most_minor": 1},
        "10 > 0.00000001",
    ),
    (Reason.TRANSFER_WOULD_BREACH_MARGIN, {"rule": "P5", **ASKED, "most_minor": 0}, "10 > 0"),
    (Reason.MARGIN_NOT_REMOVABLE, {"rule": "P17", **ASKED, "most_minor": 0}, "10 > 0"),
    (
        Reason.PRICE_OUT_OF_RANGE,
        {"rule": "S9", "symbol": SPOT, "price_ticks": 200, "price_max_ticks": 100},
        "2 > 1",
    ),
    (
        Reason.PRICE_OUT_OF_RANGE,
        {"rule": "S9", "symbol": SPOT, "price_ticks": 200, "price_min_ticks": 300}
        | {"price_max_ticks": 900},
        "2 < 3",
    ),
    (
        Reason.QTY_OUT_OF_RANGE,
        {"rule": "S9", "symbol": PERP, "qty_lots": 1, "qty_min_lots": 2, "qty_max_lots": 9},
        "0.001 < 0.002",
    ),
    (
        Reason.QTY_OUT_OF_RANGE,
        {"rule": "S9", "symbol": PERP, "qty_lots": 10, "qty_min_lots": 2, "qty_max_lots": 9},
        "0.01 > 0.009",
    ),
    (
        Reason.MARKET_QTY_OUT_OF_RANGE,
        {"rule": "S9", "symbol": PERP, "qty_lots": 10, "qty_max_lots": 9},
        "0.01 > 0.009",
    ),
    (
        Reason.NOTIONAL_TOO_SMALL,
        {
            "rule": "S9",
            "symbol": SPOT,
            "qty_lots": 1,
            "price_ticks": 5_000_000,
            "notional_minor": E8 // 2,
            "notional_min_minor": 5 * E8,
            "notional_max_minor": 10**6 * E8,
        },
        "0.5 < 5",
    ),
    (
        Reason.NOTIONAL_TOO_LARGE,
        {
            "rule": "S9",
            "symbol": SPOT,
            "notional_minor": 11 * E8,
            "notional_min_minor": 5 * E8,
            "notional_max_minor": 10 * E8,
        },
        "11 > 10",
    ),
    (
        Reason.PERCENT_PRICE,
        {
            "rule": "S12",
            "symbol": SPOT,
            "price_ticks": 90_000_000,
            "tick_e8": 10**6,
            "reference_e8": 50_000 * E8,
            "up_e4": 50_000,
            "down_e4": 2_000,
        },
        "900000 > 250000",
    ),
    (
        Reason.PERCENT_PRICE,
        {
            "rule": "S12",
            "symbol": SPOT,
            "price_ticks": 100_000,
            "tick_e8": 10**6,
            "reference_e8": 50_000 * E8,
            "up_e4": 50_000,
            "down_e4": 2_000,
        },
        "1000 < 10000",
    ),
    (Reason.MAX_ORDERS, {"rule": "S9", "open_orders": 200, "orders_max": 200}, "200 >= 200"),
    (Reason.MAX_ICEBERGS, {"rule": "S9", "icebergs": 2, "icebergs_max": 2}, "2 >= 2"),
    (Reason.MAX_AMENDS, {"rule": "S9", "amends": 3, "amends_max": 3}, "3 >= 3"),
    (
        Reason.MAX_POSITION,
        {"rule": "S9", "symbol": SPOT, "asset": "BTC", "has_minor": 14 * 10**7}
        | {"qty_lots": 60_001, "position_max_lots": 200_000},
        "1.4 + 0.60001 > 2",
    ),
    (
        Reason.MAX_ASSET,
        {"rule": "S9", "symbol": SPOT, "asset": "USDT", "moved_minor": 3 * E8}
        | {"order_max_minor": 2 * E8},
        "3 > 2",
    ),
    (Reason.EXPIRY_IN_PAST, {"rule": "S2", "expire_ms": 5, "now_ms": 5}, "5 <= 5"),
    (
        Reason.AMEND_BELOW_FILLED,
        {"rule": "S7", "symbol": PERP, "qty_lots": 4, "done_lots": 5},
        "0.004 <= 0.005",
    ),
    (
        Reason.WOULD_TRIGGER,
        {"rule": "S4", "symbol": SPOT, "side": "rises", "trigger_ticks": 300, "market_e8": 3 * E8},
        "3 >= 3",
    ),
    (
        Reason.WOULD_TRIGGER,
        {"rule": "S4", "symbol": SPOT, "side": "falls", "trigger_ticks": 300, "market_e8": 2 * E8},
        "2 <= 3",
    ),
    (Reason.MAX_ALGO_ORDERS, {"rule": "S9", "asleep": 20, "asleep_max": 20}, "20 >= 20"),
    (
        Reason.WOULD_TAKE,
        {"rule": "S2", "symbol": SPOT, "side": "buy", "price_ticks": 300, "best_ticks": 200},
        "3 >= 2",
    ),
    (
        Reason.WOULD_TAKE,
        {"rule": "S2", "symbol": SPOT, "side": "sell", "price_ticks": 200, "best_ticks": 200},
        "2 <= 2",
    ),
]
BAND: dict[str, Any] = {
    "rule": "S12",
    "symbol": PERP,
    "tick_e8": 10**7,
    "index_e8": 100 * E8,
    "premium_e8": 3 * E8 // 2,
    "band_e12": 2 * 10**10,
    "limit_e12": 5 * 10**10,
}


def refused(reason: Reason, details: dict[str, Any]) -> Answered:
    return Answered(9, 5, reason, 0, details, False, 7)


@pytest.mark.parametrize(("reason", "details", "decided"), REFUSED)
def test_a_refusal_tells_the_comparison_that_decided(
    reason: Reason, details: dict[str, Any], decided: str
) -> None:
    tree = reject_tree(refused(reason, details), INSTRUMENTS, "USDT")
    retrace(tree)
    assert held(tree)
    (threshold,) = tree.thresholds
    assert threshold.filled == decided
    assert (tree.kind, tree.id, tree.rule) == ("reject", "9", details["rule"])


@pytest.mark.parametrize(
    ("side", "ticks", "bound", "unrounded"),
    [("buy", 1_040, 1_035, "103.5"), ("sell", 990, 995, "99.5")],
)
def test_v15_a_price_beyond_the_band_tells_how_the_band_came_about(
    side: str, ticks: int, bound: int, unrounded: str
) -> None:
    """Index 100, Y 2 %, Z 5 %, average premium 1.5: at most 103.5, at least 99.5."""
    details = {**BAND, "side": side, "price_ticks": ticks, "bound_ticks": bound}
    tree = reject_tree(refused(Reason.PRICE_BAND, details), INSTRUMENTS, "USDT")
    retrace(tree)
    assert held(tree)
    assert tree.steps[0].value == unrounded


def test_every_comparison_there_is_was_tried() -> None:
    tried = {(reason, details["rule"]) for reason, details, _ in REFUSED}
    assert set(TOLD) <= tried


@pytest.mark.parametrize("reason", [Reason.UNKNOWN_ORDER, Reason.POSITION_OPEN])
def test_a_reason_that_says_it_all_is_told_in_its_words(reason: Reason) -> None:
    tree = reject_tree(refused(reason, {}), INSTRUMENTS, "USDT")
    assert retrace(tree) == 0
    assert tree.says == f"It was refused: {reason.value}."
    assert tree.rule == PLAIN_RULES.get(reason, "")
