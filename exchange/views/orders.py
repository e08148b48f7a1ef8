"""When each open order last changed: what the engine's own record of an order leaves out."""

from __future__ import annotations

from typing import Final

from exchange.events import OrderChanged
from matching.instrument import Instrument, amount_text
from matching.types import OPEN_STATUSES, Order, OrderType, Side, Status, TimeInForce, TriggerSource
from risk.account import LONG, ONE_WAY, SHORT

SIDE_NAMES: Final = {side: side.name.lower() for side in Side}
TYPE_NAMES: Final = {type_: type_.name.lower() for type_ in OrderType}
TIF_NAMES: Final = {tif: tif.name for tif in TimeInForce}
STATUS_NAMES: Final = {status: status.name.lower() for status in Status}
TRIGGER_NAMES: Final = {trigger: trigger.name.lower() for trigger in TriggerSource}
POSITION_SIDE_NAMES: Final = {ONE_WAY: "both", LONG: "long", SHORT: "short"}
SIDE_EFFECT_NAMES: Final = ("none", "borrow", "repay", "borrow_repay")


class Orders:
    """The time of the last change of every open order; closed ones are forgotten."""

    def __init__(self) -> None:
        self._updated: dict[int, int] = {}

    def fold(self, event: OrderChanged) -> None:
        """An order changed. O(1)."""
        if event.status in OPEN_STATUSES:
            self._updated[event.order_id] = event.time_ms
        else:
            self._updated.pop(event.order_id, None)

    def updated_ms(self, order: Order) -> int:
        """When an open order last changed; when it was placed, if nothing was seen since."""
        return self._updated.get(order.order_id, order.time_ms)


def average_text(
    instrument: Instrument, filled_units: int, filled_lots: int, filled_minor: int = 0
) -> str | None:
    """The average price of what was filled, to 8 places rounded down; None before a fill.

    Of an inverse contract it is the harmonic mean (P1): the contracts over the coins they came to,
    `filled_minor`, where that is known. These are rounded (A3): where the plain mean comes to the
    same coins, as at a single price, it is told.
    """
    if not filled_lots:
        return None
    mean_e8 = filled_units * instrument.tick_e8 // filled_lots
    if instrument.kind == "inverse" and filled_minor:
        face_e8 = instrument.notional_minor(0, filled_lots) * 10**8
        if not mean_e8 or abs(face_e8 // mean_e8 - filled_minor) > 1:
            return amount_text(face_e8 // filled_minor)
    return amount_text(mean_e8)
