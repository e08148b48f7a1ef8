"""What became of a trader: profit by its cause, charges, calls, liquidation and equity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final

from clients.channels import Event, Notice
from clients.january.people import STAKE, Trader
from clients.january.tape import Tape, utc
from exchange.wire import PlacedSay, PnlSay

CAUSES: Final = ("price", "fees", "interest", "funding", "liquidation")
CENT: Final = Decimal("0.01")
LEVEL_PLACES: Final = Decimal("0.0001")
TRADED: Final = ("sold", "bought", "fund")  # Steps of a liquidation that parted with something.


@dataclass(frozen=True)
class Charge:
    """One hour's interest, or one funding: when it fell due, and what it did to the account."""

    kind: str
    due: int  # Epoch milliseconds.
    amount: str  # In the asset; negative is paid.
    asset: str


@dataclass(frozen=True)
class Call:
    """A margin call, or (`cleared`) the end of one; `add` USDT would have answered it."""

    time: int
    scope: str
    level: str
    add: str
    cleared: bool


@dataclass(frozen=True)
class Sale:
    """One forced trade of a liquidation."""

    time: int
    step: str
    symbol: str
    qty: str
    price: str


@dataclass(frozen=True)
class Liquidation:
    """A liquidation from its first to its last word; `result` is None while it goes on."""

    scope: str
    time: int
    mark: str | None
    level: str
    sales: tuple[Sale, ...]
    result: str | None
    covered: str


@dataclass(frozen=True)
class Fate:
    """What became of one trader; amounts in USDT, moments in epoch milliseconds."""

    name: str
    story: str
    opened: str
    price: str
    fees: str
    interest: str
    funding: str
    liquidation: str
    equity: str
    calls: tuple[Call, ...]
    liquidations: tuple[Liquidation, ...]
    charges: tuple[Charge, ...]
    missed: bool = False

    @property
    def called(self) -> int:
        """How many margin calls there were."""
        return sum(not call.cleared for call in self.calls)

    def count(self, kind: str) -> int:
        """How many charges of "interest" or "funding" there were."""
        return sum(charge.kind == kind for charge in self.charges)


# -- from what was told ------------------------------------------------------------------------


def fate_of(trader: Trader, pnl: PnlSay) -> Fate:
    """The fate of a trader that has taken its position, from its sums and its notices."""
    assert trader.placed is not None
    told = {cause: Decimal(getattr(pnl, cause)) for cause in CAUSES}
    notices = trader.notices
    return Fate(
        name=trader.name,
        story=trader.story,
        opened=opened_text(trader.placed),
        **{cause: cents(told[cause]) for cause in CAUSES},
        equity=cents(STAKE + sum(told.values())),
        calls=calls_in(notices),
        liquidations=liquidations_in(notices),
        charges=charges_in(notices),
        missed=trader.missed,
    )


def calls_in(notices: Sequence[Event]) -> tuple[Call, ...]:
    """Margin calls, and their ends."""
    return tuple(
        Call(
            event.time,
            event.data.wallet,
            event.data.level,
            event.data.add or "0",
            event.data.notice == "margin_call_cleared",
        )
        for event in notices
        if event.data.notice in ("margin_call", "margin_call_cleared")
    )


def charges_in(notices: Sequence[Event]) -> tuple[Charge, ...]:
    """Interest and funding, one by one."""
    return tuple(
        Charge(
            event.data.notice,
            event.data.due,
            _change(event.data),
            event.data.asset or "USDT",
        )
        for event in notices
        if event.data.notice in ("interest", "funding")
    )


def _change(notice: Notice) -> str:
    """Interest is told as what was charged, funding as what came in."""
    amount = Decimal(notice.amount or 0)
    return f"{-amount if notice.notice == 'interest' else amount:f}"


def liquidations_in(notices: Sequence[Event]) -> tuple[Liquidation, ...]:
    """Every liquidation with its forced trades; two scopes may be liquidated side by side."""
    begun = [event for event in notices if event.data.notice == "liquidation_started"]
    return tuple(_liquidation(event, notices) for event in begun)


def _liquidation(start: Event, notices: Sequence[Event]) -> Liquidation:
    scope = start.data.wallet
    sales = []
    result, covered = None, "0"
    for event in notices:
        if event.data.wallet != scope or event.seq < start.seq:
            continue
        said = event.data
        if said.notice == "liquidation_step" and said.step in TRADED:
            sale = Sale(event.time, said.step, said.symbol or "", said.qty or "", said.price or "")
            sales.append(sale)
        elif said.notice == "liquidation_ended":
            result, covered = said.result, said.covered or "0"
            break
    return Liquidation(
        scope, start.time, start.data.mark, start.data.level, tuple(sales), result, covered
    )


def opened_text(placed: PlacedSay) -> str:
    """The order that opened a position, in a few words."""
    order = placed.order
    did = "bought" if order.side == "buy" else "sold"
    if order.average_price is None:
        return f"{did} nothing"
    return f"{did} {order.filled_qty} at {cents(Decimal(order.average_price))}"


# -- for people --------------------------------------------------------------------------------


def report(fates: Sequence[Fate], tape: Tape) -> str:
    """The sums side by side, and below them the story of each call and liquidation."""
    lines = [table(fates), ""]
    for fate in fates:
        lines.append(f"{fate.name}: {fate.story}; {fate.opened}")
        told = [(call.time, [call_text(call)]) for call in fate.calls]
        told += [(each.time, liquidation_lines(each, tape)) for each in fate.liquidations]
        for _, story in sorted(told, key=lambda one: one[0]):
            lines += [f"  {line}" for line in story]
        if fate.missed:
            lines.append("  some notices were lost in a break: counts and stories may lack them")
    return "\n".join(lines)


def table(fates: Sequence[Fate]) -> str:
    """A line a sum, a column a trader, in USDT."""
    rows = [["", *(fate.name for fate in fates)]]
    for head, cause in (("price P&L", "price"), ("fees", "fees"), ("interest", "interest")):
        rows.append([head, *(getattr(fate, cause) for fate in fates)])
    rows.append(["  charges", *(str(fate.count("interest")) for fate in fates)])
    rows.append(["funding", *(fate.funding for fate in fates)])
    rows.append(["  payments", *(str(fate.count("funding")) for fate in fates)])
    rows.append(["liquidation fee", *(fate.liquidation for fate in fates)])
    rows.append(["margin calls", *(str(fate.called) for fate in fates)])
    rows.append(["liquidated", *(_when(fate) for fate in fates)])
    rows.append(["final equity", *(fate.equity for fate in fates)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _when(fate: Fate) -> str:
    return utc(fate.liquidations[0].time) if fate.liquidations else "-"


def call_text(call: Call) -> str:
    """A margin call in a line."""
    level = f"at a margin level of {level_text(call.level)}"
    if call.cleared:
        return f"{utc(call.time)}  margin call over, {level}"
    return f"{utc(call.time)}  margin call {level}: add {cents(Decimal(call.add))} USDT"


def level_text(level: str) -> str:
    """A margin level as people read it, never rounded up to a bound it has not reached."""
    return f"{Decimal(level).quantize(LEVEL_PLACES, ROUND_FLOOR):f}"


def liquidation_lines(one: Liquidation, tape: Tape) -> list[str]:
    """When and at which mark it began, what was sold at which price, and the bar it came from."""
    mark = f" at a mark of {tidy(one.mark)}" if one.mark and Decimal(one.mark) else ""
    lines = [f"{utc(one.time)}  liquidation of {one.scope}{mark}, level {level_text(one.level)}"]
    for sale in one.sales:
        lines.append(f"{utc(sale.time)}  {_sale_text(sale)}")
    if len(one.sales) > 1:
        lines.append(f"  on average at {average_price(one.sales)}")
    bar = tape.bar_at(one.time)
    if bar is not None:
        prices = (
            f"{name} {tidy(price)}"
            for name, price in (
                ("open", bar.open),
                ("high", bar.high),
                ("low", bar.low),
                ("close", bar.close),
            )
        )
        lines.append(f"  the bar of {utc(bar.open_ms)}: {', '.join(prices)}")
    ended = one.result or "not over yet"
    covered = f"; the insurance fund paid {one.covered}" if Decimal(one.covered) else ""
    lines.append(f"  ended: {ended}{covered}")
    return lines


def _sale_text(sale: Sale) -> str:
    did = "handed to the insurance fund" if sale.step == "fund" else sale.step
    return f"{did} {sale.qty} {sale.symbol} at {tidy(sale.price)}"


def average_price(sales: Sequence[Sale]) -> str:
    """The price of several sales, weighted by quantity, to a cent."""
    qty = sum(Decimal(sale.qty) for sale in sales)
    value = sum(Decimal(sale.qty) * Decimal(sale.price) for sale in sales)
    return cents(value / qty) if qty else "-"


def cents(amount: Decimal) -> str:
    """An amount to a cent; never a negative zero."""
    rounded = Decimal(amount).quantize(CENT, ROUND_HALF_EVEN)
    return f"{rounded + 0:f}"


def tidy(price: str) -> str:
    """A price without the zeros behind it."""
    return price.rstrip("0").rstrip(".") if "." in price else price
