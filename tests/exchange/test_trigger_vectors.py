"""The design's vectors of reduce-only trimming and of trigger sources, on the engine (V74, V75)."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.events import AnyEvent, OrderChanged
from matching.types import OrderType, Side, TimeInForce, TriggerSource
from tests.story import Story, answer, of, units
from tests.vectors import vectors

PERP = "BTC-USDT-PERP"
TYPES = {
    "LIMIT": OrderType.LIMIT,
    "STOP_MARKET": OrderType.STOP,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT,
}
STATUSES = {"NEW": "NEW", "CANCELED": "CANCELLED"}  # As the vectors spell them.


class Stage:
    """A venue on which the steps of a vector are played, and the ids its orders got."""

    def __init__(self, start: str) -> None:
        self.story = Story()
        self.story.index("BTC", start)
        self.accounts: dict[str, int] = {}
        self.ids: dict[str, int] = {}

    def someone(self) -> int:
        return self.story.account(perp_USDT="10000000")

    def hold(self, position: dict[str, str], price: str) -> None:
        """Let an account hold a position, bought of a stranger."""
        me, other = self.someone(), self.someone()
        self.accounts[position["account"]] = me
        long = position["side"] == "LONG"
        seller, buyer = (other, me) if long else (me, other)
        self.story.sell(seller, PERP, position["quantity"], price)
        self.story.buy(buyer, PERP, position["quantity"], price)

    def play(self, step: dict[str, Any]) -> list[AnyEvent]:
        """One step: a mark, a trade of strangers, or an order."""
        if step["do"] == "mark_price":
            events = self.story.index("BTC", step["price"])
            assert self.story.engine.risk.mark_e8(PERP) == units(step["price"])
            return events
        if step["do"] == "trade":
            self.story.sell(self.someone(), PERP, "0.001", step["price"])
            return self.story.buy(self.someone(), PERP, "0.001", step["price"])
        events = self._place(step)
        assert answer(events).reason is None, step
        self.ids[step["id"]] = answer(events).result_id
        return events

    def _place(self, step: dict[str, Any]) -> list[AnyEvent]:
        more: dict[str, Any] = {"type": TYPES[step["type"]]}
        if "stop_price" in step:
            ticks = self.story.engine.instruments[PERP].ticks(step["stop_price"])
            more["trigger_ticks"] = ticks
            more["trigger"] = TriggerSource[step["working_type"]]
        for name in ("close_position", "reduce_only"):
            if name in step:
                more[name] = step[name]
        if "time_in_force" in step:
            more["tif"] = TimeInForce[step["time_in_force"]]
        quantity, price = step.get("quantity", ""), step.get("price", "")
        account = self.accounts[step["account"]]
        return self.story.place(account, Side[step["side"]], PERP, quantity, price, **more)

    def last(self, name: str) -> OrderChanged:
        told = of(self.story.events, OrderChanged)
        return [each for each in told if each.order_id == self.ids[name]][-1]

    def agrees(self, name: str, expected: dict[str, str]) -> None:
        order = self.last(name)
        lot = self.story.engine.instruments[PERP].lot_minor
        assert order.status.name == STATUSES[expected["status"]], name
        assert order.open_lots * lot == units(expected["open"]), name


@pytest.mark.parametrize("vector", vectors(["reduce_only"], on="engine"))
def test_p15_what_reduces_is_trimmed(vector: dict[str, Any]) -> None:
    """Index and mark at 9,100: the nearer sale at 9,000 lies within the band and rests."""
    stage = Stage("9100")
    stage.hold(vector["inputs"]["position"], "9100")
    for step in vector["inputs"]["steps"]:
        stage.play(step)
        stage.agrees(step["id"], step["expect"])
    for name, expected in vector["expected"]["orders"].items():
        stage.agrees(name, expected)


@pytest.mark.parametrize("vector", vectors(["trigger"], on="engine"))
def test_p16_each_order_wakes_by_its_own_price(vector: dict[str, Any]) -> None:
    stage = Stage("50000")
    stage.hold(vector["inputs"]["position"], "50000")
    woken: list[str] = []
    for step in vector["inputs"]["steps"]:
        events = stage.play(step)
        told = [each for each in of(events, OrderChanged) if each.happening == "triggered"]
        names = {order_id: name for name, order_id in stage.ids.items()}
        now = [names[each.order_id] for each in told]
        woken += now
        if "expect" in step:
            assert now == step["expect"]["triggered"], step
    assert woken == vector["expected"]["triggered"]
