"""The states of an order and of a list's legs, drawn from the tables the exchange runs on.

`python -m tests.order_states` writes the drawn part of docs/order-states.md anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from exchange.listing import leg_status
from exchange.views.orders import STATUS_NAMES
from matching.lists import TO_EXITS, TO_OTHER, TO_PENDING, LegStatus, Step
from matching.types import NEXT, OPEN_STATUSES, Happening, Order, OrderType, Side, Status

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "order-states.md"
BEGIN: Final = "<!-- Drawn from here on by `python -m tests.order_states`. -->\n"

# What begins the life of an order; every other step of it is in NEXT.
BEGINNINGS: Final = {
    Status.NEW: "placed",
    Status.PENDING_TRIGGER: "placed, with a trigger",
}
HAPPENINGS: Final = {
    Happening.PART_FILL: "a part is filled",
    Happening.LAST_FILL: "the rest is filled",
    Happening.CANCEL: "cancelled",
    Happening.EXPIRE: "expires",
    Happening.PREVENT: "self-trade prevented",
    Happening.REJECT: "refused",
    Happening.TRIGGER: "its trigger is reached",
}
MEANINGS: Final = {
    Status.NEW: "on the book, or about to meet it; nothing is filled",
    Status.PARTIALLY_FILLED: "on the book; a part is filled",
    Status.FILLED: "all of it was filled",
    Status.CANCELLED: "its owner, the venue or a liquidation took it back; what was filled stands",
    Status.EXPIRED: "its time in force, its date, a price bound or its list ended it",
    Status.EXPIRED_IN_MATCH: "it would have traded with its own account",
    Status.REJECTED: "post-only and it would have taken, or it woke and could not be placed",
    Status.PENDING_TRIGGER: "asleep: off the book, until a price reaches its trigger",
}
LEGS: Final = {
    LegStatus.PENDING: "waits for the working order: it is no order yet, and holds nothing",
    LegStatus.OPEN: "an order that is open and untouched, asleep or on the book",
    LegStatus.MOVED: "open still, but a part is filled, or its trigger was reached",
    LegStatus.FILLED: "filled",
    LegStatus.ENDED: "cancelled or expired, nothing filled",
    LegStatus.REJECTED: "its turn came, and it could not be placed",
    LegStatus.PART_FILLED: "cancelled or expired, a part filled",
}
STEPS: Final = {Step.PLACE: "placed", Step.EXPIRE: "expire"}


def name(status: Status | LegStatus) -> str:
    """A status in the words of the API."""
    return STATUS_NAMES[status] if isinstance(status, Status) else status.name.lower()


def changes() -> Iterator[tuple[Status, Happening, Status]]:
    """Every step of an order's life, in the order of the states."""
    for before in Status:
        for happening, table in NEXT.items():
            if before in table:
                yield before, happening, table[before]


def diagram() -> str:
    """The states of an order as a Mermaid diagram."""
    lines = [f"[*] --> {name(status)}: {words}" for status, words in BEGINNINGS.items()]
    lines += [
        f"{name(before)} --> {name(after)}: {HAPPENINGS[happening]}"
        for before, happening, after in changes()
    ]
    lines += [f"{name(status)} --> [*]" for status in Status if status not in OPEN_STATUSES]
    return _mermaid(lines)


def states_table() -> str:
    """What each state is, and what may befall an order in it."""
    rows = ["| status | is open | what it is | then |", "|---|---|---|---|"]
    for status in Status:
        then = [
            f"{HAPPENINGS[happening]}: `{name(after)}`"
            for before, happening, after in changes()
            if before is status
        ]
        is_open = "yes" if status in OPEN_STATUSES else "no"
        told = "; ".join(then) or "nothing more"
        rows.append(f"| `{name(status)}` | {is_open} | {MEANINGS[status]} | {told} |")
    return "\n".join(rows) + "\n"


def legs_of(status: Status) -> list[LegStatus]:
    """Where a leg may stand whose order has this status, asked of the rule itself."""
    found: dict[LegStatus, None] = {}
    for filled_lots, triggered_ms in ((0, 0), (1, 0), (0, 1)):
        order = Order(1, 100, "BTC-USDT", Side.BUY, OrderType.LIMIT, 1, 2)
        order.status, order.filled_lots, order.triggered_ms = status, filled_lots, triggered_ms
        if _can_be(status, filled_lots, triggered_ms):
            found[leg_status(order)] = None
    return list(found)


def _can_be(status: Status, filled_lots: int, triggered_ms: int) -> bool:
    """Whether an order of a status may have filled something, or have woken."""
    if status is Status.PENDING_TRIGGER:
        return not filled_lots and not triggered_ms
    if status in (Status.PARTIALLY_FILLED, Status.FILLED):
        return bool(filled_lots)
    return not filled_lots or status not in (Status.NEW, Status.REJECTED)


def leg_diagram() -> str:
    """Where a leg may stand, as a Mermaid diagram: its order's changes, and those of its list."""
    lines = [
        f"[*] --> {name(LegStatus.PENDING)}: waits for a working order",
        f"[*] --> {name(LegStatus.OPEN)}: placed at once",
        f"{name(LegStatus.PENDING)} --> {name(LegStatus.OPEN)}: its turn comes",
        f"{name(LegStatus.PENDING)} --> {name(LegStatus.REJECTED)}: it cannot be placed",
        f"{name(LegStatus.PENDING)} --> {name(LegStatus.ENDED)}: it is not needed any more",
    ]
    edges: dict[tuple[LegStatus, LegStatus], None] = {}
    for before, _, after in changes():
        for was in legs_of(before):
            for will in legs_of(after):
                if was is not will and _follows(was, will):
                    edges[was, will] = None
    lines += [f"{name(was)} --> {name(will)}" for was, will in edges]
    ends = sorted({will for _, will in edges} - {was for was, _ in edges})
    return _mermaid(lines + [f"{name(status)} --> [*]" for status in ends])


def _follows(was: LegStatus, will: LegStatus) -> bool:
    """A leg that moved does not become untouched again, nor does one of which nothing was filled
    end as filled in part without having moved."""
    return will is not LegStatus.OPEN and not (
        was is LegStatus.OPEN and will is LegStatus.PART_FILLED
    )


def legs_table() -> str:
    """Where a leg may stand, by which states of its order, and what that does to the others."""
    head = (
        "| leg | what it is | its order is | what waits for it | of a bracket | the OCO's other |"
    )
    rows = [head, "|---|---|---|---|---|---|"]
    for leg in LegStatus:
        states = ", ".join(f"`{name(status)}`" for status in Status if leg in legs_of(status))
        words = [_step(table, leg) for table in (TO_PENDING, TO_EXITS, TO_OTHER)]
        rows.append(f"| `{name(leg)}` | {LEGS[leg]} | {states} | {' | '.join(words)} |")
    return "\n".join(rows) + "\n"


def _step(table: Mapping[LegStatus, Step], leg: LegStatus) -> str:
    return STEPS[table[leg]] if leg in table else ""


def _mermaid(lines: list[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```\n"])


def page(text: str) -> str:
    """A page's text with what is drawn behind its mark."""
    before, mark, _ = text.partition(BEGIN)
    assert mark, "the page has no mark for what is drawn"
    parts = (
        "## An order\n",
        diagram(),
        states_table(),
        "## A leg of a list\n",
        leg_diagram(),
        legs_table(),
    )
    return before + mark + "\n" + "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
