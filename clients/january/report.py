"""What became of a trader: profit by its cause, charges, calls, liquidation and equity."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from clients.january.people import STAKE, Trader

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Fate:
    """One row of the table; amounts in USDT, times in UTC."""

    name: str
    story: str
    price: str
    fees: str
    interest: str
    funding: str
    liquidation: str
    charges: int
    called: str
    liquidated: str
    liquidation_price: str
    bar: str
    equity: str


def utc(ms: int) -> str:
    """A moment as people write it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def bar_at(tape: Path, moment_ms: int) -> str:
    """The minute of the tape that a moment lies in, as open / high / low / close."""
    minute = utc(moment_ms - moment_ms % MINUTE_MS)
    with tape.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row.get("timestamp", "").startswith(minute):
                prices = " / ".join(_short(row[name]) for name in ("open", "high", "low", "close"))
                return f"{minute[5:16]}: {prices}"
    return minute


def _short(price: str) -> str:
    return price.rstrip("0").rstrip(".") if "." in price else price


async def fate_of(trader: Trader, tape: Path) -> Fate:
    """Ask for the sums, and look through the notices."""
    assert trader.client is not None
    pnl = await trader.client.pnl()
    told = {name: Decimal(getattr(pnl, name)) for name in _CAUSES}
    calls = [event for event in trader.notices if event.data.notice == "margin_call"]
    begun = [event for event in trader.notices if event.data.notice == "liquidation_started"]
    steps = [
        event
        for event in trader.notices
        if event.data.notice == "liquidation_step" and event.data.step in ("sold", "bought", "fund")
    ]
    charges = [event for event in trader.notices if event.data.notice in ("interest", "funding")]
    return Fate(
        name=trader.name,
        story=trader.story,
        **{name: f"{told[name]:.2f}" for name in _CAUSES},
        charges=len(charges),
        called=utc(calls[0].time) if calls else "-",
        liquidated=utc(begun[0].time) if begun else "-",
        liquidation_price=str(steps[0].data.price) if steps else "-",
        bar=bar_at(tape, begun[0].time) if begun else "-",
        equity=f"{STAKE + sum(told.values()):.2f}",
    )


_CAUSES = ("price", "fees", "interest", "funding", "liquidation")


def table(fates: list[Fate]) -> str:
    """The fates side by side: a line a fact, a column a trader."""
    facts = list(asdict(fates[0]))
    facts.remove("name")
    rows = [["", *(fate.name for fate in fates)]]
    rows += [
        [fact.replace("_", " "), *(str(getattr(fate, fact)) for fate in fates)]
        for fact in facts
        if fact != "story"
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
