"""The design's vectors of matching, order by order through the engine (V01 to V04, V07 to V11)."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import AmendOrder, CancelOrder
from exchange.events import AnyEvent, OrderChanged, Traded
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import OrderType, SelfTrade, Side, TimeInForce
from tests.story import Story, answer, of, refusal, units, venue_with
from tests.vectors import exact, vectors

SPOT = "BTC-USDT"
REASONS = {"EXECUTION_RULE_PRICE_RANGE_EXCEEDED": Reason.EXECUTION_PRICE_RANGE}
FILTERS = {"PERCENT_PRICE_BY_SIDE": Reason.PERCENT_PRICE, "ICEBERG_PARTS": Reason.ICEBERG_PARTS}
OFF = dict.fromkeys(("bid_up_e4", "bid_down_e4", "ask_up_e4", "ask_down_e4"), 0) | dict.fromkeys(
    ("execution_up_e4", "execution_down_e4", "notional_min_minor"), 0
)


class Stage:
    """A spot pair with the rules a vector names and no others, and what came of its steps."""

    def __init__(self, vector: dict[str, Any]) -> None:
        named = vector["inputs"].get("instrument", {})
        changes: dict[str, Any] = OFF | {"tick": "0.01", "lot": named.get("lot_size", "0.01")}
        for name, text in named.get("percent_price_by_side", {}).items():
            changes[f"{name}_e4"] = exact(text, 4)
        for name, text in named.get("execution_range", {}).items():
            changes[f"execution_{name.removesuffix('_multiplier')}_e4"] = exact(text, 4)
        if "iceberg_parts_limit" in named:
            changes["iceberg_parts_max"] = named["iceberg_parts_limit"]
        self.story = Story(venue_with(SPOT, **changes))
        self.owners: dict[str, int] = {}
        self.ids: dict[str, int] = {}
        self.told: dict[str, list[AnyEvent]] = {}

    @property
    def market(self) -> Instrument:
        return self.story.engine.instruments[SPOT]

    def owner(self, name: str) -> int:
        if name not in self.owners:
            self.owners[name] = self.story.account(name, spot_USDT="9000000", spot_BTC="1000")
        return self.owners[name]

    def run(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            if step["do"] == "reference_price":
                self.story.index("BTC", step["price"])
            elif step["do"] == "book":
                for side, orders in ((Side.BUY, step["bids"]), (Side.SELL, step["asks"])):
                    for price, quantity in orders:
                        self.story.place(self.owner("book"), side, SPOT, quantity, price)
            elif step["do"] == "place":
                self.place(step)
            else:
                self.change(step)

    def place(self, step: dict[str, Any]) -> None:
        more: dict[str, Any] = {
            "tif": TimeInForce[step.get("time_in_force", "GTC")],
            "stp": SelfTrade[step.get("stp", "EXPIRE_MAKER")],
            "post_only": step["type"] == "LIMIT_MAKER",
        }
        if step["type"] == "MARKET":
            more["type"] = OrderType.MARKET
        if "quote_quantity" in step:
            more["quote_minor"] = exact(step["quote_quantity"])
        if "iceberg_quantity" in step:
            more["iceberg_lots"] = self.market.lots(step["iceberg_quantity"])
        quantity, price = step.get("quantity", ""), step.get("price", "")
        owner, side = self.owner(step["account"]), Side[step["side"]]
        events = self.told[step["id"]] = self.story.place(
            owner, side, SPOT, quantity, price, **more
        )
        self.ids[step["id"]] = answer(events).result_id

    def change(self, step: dict[str, Any]) -> None:
        """Amend in place, or cancel and place anew."""
        last = self.last(step["id"])
        key = {"account_id": last.account_id, "order_id": last.order_id}
        if step["do"] == "amend":
            lots = self.market.lots(step["quantity"])
            self.story.ok(AmendOrder, **key, lots=lots)
            return
        self.story.ok(CancelOrder, **key)
        events = self.story.place(last.account_id, last.side, SPOT, step["quantity"], step["price"])
        self.ids[step["new_id"]] = answer(events).result_id

    def last(self, name: str) -> OrderChanged:
        told = of(self.story.events, OrderChanged)
        return [each for each in told if each.order_id == self.ids[name]][-1]

    def outcome(self, name: str) -> dict[str, object]:
        """What a vector may expect of an order, quantities in minor units."""
        told, minor = self.last(name), self.market.base_minor
        spent = told.filled_units * self.market.unit_minor
        left = told.lots - told.filled_lots - told.prevented_lots - told.open_lots
        return {
            "status": told.status.name,
            "executed": minor(told.filled_lots),
            "prevented": minor(told.prevented_lots),
            "expired": minor(left),
            "open": minor(told.open_lots),
            "cumulative_quote": spent,
            "unspent": told.quote_minor - spent,
            "reason": told.reason,
        }


@pytest.mark.parametrize("vector", vectors(["stp", "order_execution"], on="engine"))
def test_orders_end_as_the_design_says(vector: dict[str, Any]) -> None:
    stage = Stage(vector)
    stage.run(vector["inputs"]["steps"])
    expected, market = vector["expected"], stage.market
    trades = [(each.price_ticks, each.lots) for each in of(stage.story.events, Traded)]
    assert trades == [(market.ticks(p), market.lots(q)) for p, q in expected["trades"]]
    for side, name in ((Side.BUY, "bids"), (Side.SELL, "asks")):
        levels = [(market.ticks(p), market.lots(q)) for p, q in expected["book"][name]]
        assert stage.story.engine.books[SPOT].levels(side, 99) == levels
    for name, fields in expected["orders"].items():
        outcome = stage.outcome(name)
        assert len(fields.keys() & outcome.keys()) >= 3
        for field in fields.keys() & outcome.keys():
            text = fields[field]
            wanted = REASONS.get(text, text) if field in ("status", "reason") else units(text)
            assert outcome[field] == wanted, (name, field)


@pytest.mark.parametrize("vector", vectors(["amend"], on="engine"))
def test_only_a_reduction_keeps_the_place_in_the_queue(vector: dict[str, Any]) -> None:
    stage = Stage(vector)
    stage.run(vector["inputs"]["steps"])
    queue, market = vector["expected"]["queue"], stage.market
    ticks = market.ticks(queue["price"])
    assert isinstance(ticks, int)
    rested = stage.story.engine.books[SPOT].queue(Side[queue["side"]], ticks)
    assert [(each.order_id, each.open_lots) for each in rested] == [
        (stage.ids[name], market.lots(quantity)) for name, quantity in queue["orders"]
    ]


@pytest.mark.parametrize("vector", vectors(["order_filter"], on="engine"))
def test_filters_accept_and_refuse_as_the_design_says(vector: dict[str, Any]) -> None:
    stage = Stage(vector)
    steps = vector["inputs"]["steps"]
    stage.run(steps)
    refusals = {name: refusal(events) for name, events in stage.told.items()}
    assert [name for name, reason in refusals.items() if reason is None] == (
        vector["expected"]["accepted"]
    )
    wanted = {each["id"]: each["expect"] for each in steps if "expect" in each}
    assert refusals == {
        name: FILTERS[expect["filter"]] if "filter" in expect else None
        for name, expect in wanted.items()
    }
