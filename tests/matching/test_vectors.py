"""The design's own examples of matching, run on the real book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from matching.book import Book
from matching.filters import iceberg_parts, refuse_order
from matching.instrument import Instrument, amount_text
from matching.reasons import Reason
from matching.types import (
    Fill,
    Order,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
    TradingState,
)
from tests.matching.stories import instrument
from tests.vectors import exact, vectors

HOUSE = 1_000  # Whose orders a `book` step brings.
REASONS = {"EXECUTION_RULE_PRICE_RANGE_EXCEEDED": Reason.EXECUTION_PRICE_RANGE}
FILTERS = {"PERCENT_PRICE_BY_SIDE": Reason.PERCENT_PRICE, "ICEBERG_PARTS": Reason.ICEBERG_PARTS}


@dataclass
class Script:
    """Runs a vector's steps and remembers what came of them."""

    market: Instrument
    book: Book = field(default_factory=Book)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    reference_e8: int = 0
    placed: int = 0

    def run(self, steps: list[dict[str, Any]]) -> Script:
        verbs: dict[str, Callable[[dict[str, Any]], None]] = {
            "book": self.stock,
            "place": self.place,
            "amend": self.amend,
            "cancel_replace": self.cancel_replace,
            "reference_price": self.refer,
        }
        for step in steps:
            verbs[step["do"]](step)
            self.book.check()
        return self

    def refer(self, step: dict[str, Any]) -> None:
        self.reference_e8 = exact(step["price"])

    def stock(self, step: dict[str, Any]) -> None:
        for side, orders in ((Side.BUY, step["bids"]), (Side.SELL, step["asks"])):
            for price, quantity in orders:
                order = self.new(HOUSE, side, OrderType.LIMIT)
                order.price_ticks, order.lots = self.ticks(price), self.lots(quantity)
                order.open_lots = order.lots
                self.book.place(order)

    def place(self, step: dict[str, Any]) -> None:
        order = self.order(step)
        self.orders[step["id"]] = order
        if "expect" in step:
            self.judge(step, order)
            return
        worst_ticks = self.market.worst_ticks(order.side, self.reference_e8)
        happened = self.book.place(order, worst_ticks)
        self.fills += [one for one in happened if isinstance(one, Fill)]

    def judge(self, step: dict[str, Any], order: Order) -> None:
        if "iceberg_quantity" in step:
            order.iceberg_lots = self.lots(step["iceberg_quantity"])
            parts = iceberg_parts(order.lots, order.iceberg_lots)
            assert parts == step["expect"]["iceberg_parts"]
        refused = refuse_order(self.market, TradingState.TRADING, order, self.reference_e8)
        assert (refused is None) is step["expect"]["accepted"]
        if refused is None:
            self.accepted.append(step["id"])
        else:
            assert refused is FILTERS[step["expect"]["filter"]]

    def amend(self, step: dict[str, Any]) -> None:
        amended = self.book.reduce(self.orders[step["id"]].order_id, self.lots(step["quantity"]))
        assert amended is self.orders[step["id"]]

    def cancel_replace(self, step: dict[str, Any]) -> None:
        old = self.book.cancel(self.orders[step["id"]].order_id)
        assert old is not None
        order = self.new(old.account_id, old.side, old.type)
        order.price_ticks, order.lots = self.ticks(step["price"]), self.lots(step["quantity"])
        order.open_lots = order.lots
        self.orders[step["new_id"]] = order
        self.book.place(order)

    def order(self, step: dict[str, Any]) -> Order:
        kind = OrderType.MARKET if step["type"] == "MARKET" else OrderType.LIMIT
        order = self.new(ord(step["account"]), Side[step["side"]], kind)
        order.price_ticks = self.ticks(step["price"]) if "price" in step else 0
        order.lots = order.open_lots = self.lots(step["quantity"]) if "quantity" in step else 0
        if "quote_quantity" in step:
            order.quote_units = self.market.whole_units(exact(step["quote_quantity"]))
        order.tif = TimeInForce[step.get("time_in_force", "GTC")]
        order.stp = SelfTrade[step.get("stp", "EXPIRE_MAKER")]
        order.post_only = step["type"] == "LIMIT_MAKER"
        return order

    def new(self, account_id: int, side: Side, kind: OrderType) -> Order:
        self.placed += 1
        return Order(self.placed, account_id, self.market.symbol, side, kind, 0, 0)

    def ticks(self, text: str) -> int:
        ticks = self.market.ticks(text)
        assert isinstance(ticks, int), ticks
        return ticks

    def lots(self, text: str) -> int:
        lots = self.market.lots(text)
        assert isinstance(lots, int), lots
        return lots

    def outcome(self, order: Order) -> dict[str, object]:
        """What a vector may expect of an order, quantities as minor units."""
        minor, spent = self.market.base_minor, order.filled_units * self.market.unit_minor
        return {
            "status": order.status.name,
            "executed": minor(order.filled_lots),
            "prevented": minor(order.prevented_lots),
            "expired": minor(order.closed_lots),
            "open": minor(order.open_lots),
            "cumulative_quote": spent,
            "unspent": order.quote_units * self.market.unit_minor - spent,
            "reason": order.reason,
        }


def of_vector(vector: dict[str, Any]) -> Instrument:
    """The default instrument with the filters and ranges a vector names."""
    named = vector["inputs"].get("instrument", {})
    changed: dict[str, Any] = {"notional_min_minor": 0}
    for name, text in named.get("percent_price_by_side", {}).items():
        changed[f"{name}_e4"] = exact(text, 4)
    for name, text in named.get("execution_range", {}).items():
        changed[f"execution_{name.removesuffix('_multiplier')}_e4"] = exact(text, 4)
    if "iceberg_parts_limit" in named:
        changed["iceberg_parts_max"] = named["iceberg_parts_limit"]
    return instrument(lot=named.get("lot_size", "0.01"), **changed)


@pytest.mark.parametrize("vector", vectors(["stp", "order_execution"], on="function"))
def test_orders_end_as_the_design_says(vector: dict[str, Any]) -> None:
    script = Script(of_vector(vector)).run(vector["inputs"]["steps"])
    expected = vector["expected"]
    fills = [(fill.price_ticks, fill.lots) for fill in script.fills]
    assert fills == [(script.ticks(p), script.lots(q)) for p, q in expected["trades"]]
    for side, name in ((Side.BUY, "bids"), (Side.SELL, "asks")):
        levels = [(script.ticks(p), script.lots(q)) for p, q in expected["book"][name]]
        assert script.book.levels(side, 99) == levels
    checked = 0
    for id_, fields in expected["orders"].items():
        outcome = script.outcome(script.orders[id_])
        for name in fields.keys() & outcome.keys():
            text = fields[name]
            wanted = REASONS.get(text, text) if name in ("status", "reason") else exact(text)
            assert outcome[name] == wanted, (id_, name)
            checked += 1
    assert checked >= 3


@pytest.mark.parametrize("vector", vectors(["amend"], on="function"))
def test_only_a_reduction_keeps_the_place_in_the_queue(vector: dict[str, Any]) -> None:
    script = Script(of_vector(vector)).run(vector["inputs"]["steps"])
    queue = vector["expected"]["queue"]
    rested = script.book.queue(Side[queue["side"]], script.ticks(queue["price"]))
    assert [(order, order.open_lots) for order in rested] == [
        (script.orders[id_], script.lots(quantity)) for id_, quantity in queue["orders"]
    ]


@pytest.mark.parametrize("vector", vectors(["order_filter"], on="function"))
def test_filters_accept_and_refuse_as_the_design_says(vector: dict[str, Any]) -> None:
    script = Script(of_vector(vector)).run(vector["inputs"]["steps"])
    assert script.accepted == vector["expected"]["accepted"]


@pytest.mark.parametrize("vector", vectors(["execution_range"], on="function"))
def test_the_execution_range_spans_the_reference(vector: dict[str, Any]) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    market = instrument(
        execution_up_e4=exact(inputs["up_multiplier"], 4),
        execution_down_e4=exact(inputs["down_multiplier"], 4),
    )
    reference_e8 = exact(inputs["reference_price"])
    assert market.worst_ticks(Side.BUY, reference_e8) == market.ticks(expected["max_price"])
    assert market.worst_ticks(Side.SELL, reference_e8) == market.ticks(expected["min_price"])


@pytest.mark.parametrize("vector", vectors(["sellable_after_fee"], on="function"))
def test_what_a_fee_leaves_below_a_lot_is_dust(vector: dict[str, Any]) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    market = instrument(lot=inputs["lot_size"])
    quantity, rate_e8 = exact(inputs["quantity"]), exact(inputs["fee_rate"])
    held = quantity - quantity * rate_e8 // 100_000_000
    sellable = market.base_minor(market.whole_lots(held))
    assert amount_text(held) == expected["held"]
    assert amount_text(sellable) == expected["max_sellable"]
    assert amount_text(held - sellable) == expected["dust"]
