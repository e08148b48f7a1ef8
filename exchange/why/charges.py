"""Why interest and funding were charged: principal by rate, and size by mark by rate (M7, P10)."""

from __future__ import annotations

from typing import Final

from exchange.events import FundingCharged, FundingFixed, InterestCharged
from exchange.why.tree import Tree
from exchange.wire.why import WhySay
from matching.instrument import Instrument

_HOUR_MS: Final = 3_600_000


def interest_tree(event: InterestCharged) -> WhySay:
    """The tree of one hour of interest on one loan."""
    tree = Tree("interest", str(event.n), seq=event.seq, time_ms=event.time_ms, rule="M7")
    asset = event.asset
    tree.note("wallet", event.wallet, "the loan")
    tree.number("due", event.due_ms, 0, "ms", "the top of the hour, or the moment of borrowing")
    tree.number("principal", event.principal_minor, 8, asset, "the loan, at that moment")
    tree.number("hourly_rate", event.rate_e12, 12, "", "the pool, for that hour")
    owed_before_e18 = event.interest_e18 - event.charged_e18
    tree.number("owed_before", owed_before_e18, 18, asset, "interest of the hours before")
    formula, says = "ceil(principal * hourly_rate, 18)", "One hour, simple, rounded up at 18 places"
    if tree.reckon(f"{formula} * {10**18}") != event.charged_e18:
        formula = "ceil((principal + owed_before) * hourly_rate, 18)"
        says = "One hour, on what is owed with its interest, rounded up at 18 places"
    tree.step("charged", says, formula, asset, (event.charged_e18, 18))
    tree.step(
        "owed", "The interest owed then", "owed_before + charged", asset, (event.interest_e18, 18)
    )
    return tree.say(
        f"An hour of interest on {tree['principal']} {asset} at {tree['hourly_rate']} is"
        f" {tree['charged']} {asset}; with it {tree['owed']} {asset} of interest is owed."
    )


def funding_tree(
    event: FundingCharged, instrument: Instrument, fixed: FundingFixed | None
) -> WhySay:
    """The tree of one funding payment, with how its rate came about as a child."""
    tree = Tree("funding", str(event.n), seq=event.seq, time_ms=event.time_ms, rule="P10")
    inverse = instrument.kind == "inverse"
    size_unit = instrument.quote if inverse else instrument.base
    tree.note("symbol", event.symbol, "the position")
    tree.number("due", event.due_ms, 0, "ms", "the funding boundary")
    size = event.lots * instrument.face_minor
    tree.number("position", size, 8, size_unit, "the account, at the boundary")
    tree.number("mark", event.mark_e8, 8, instrument.quote, "the mark price, at the boundary")
    tree.number("rate", event.rate_e12, 12, "", "fixed at the boundary")
    tree.step(
        "flow",
        "Size by mark by rate, paid by longs if the rate is positive; rounded down to a unit",
        "floor(-position * rate / mark, 8)" if inverse else "floor(-position * mark * rate, 8)",
        instrument.settle,
        (event.flow_minor, 8),
    )
    did = "paid" if event.flow_minor < 0 else "received"
    way = "long" if event.lots > 0 else "short"
    return tree.say(
        f"A {way} of {tree['position'].removeprefix('-')} {size_unit} {did}"
        f" {tree['flow'].removeprefix('-')} {instrument.settle} of funding: the rate was"
        f" {tree['rate']} at a mark of {tree['mark']}.",
        [rate_tree(fixed)] if fixed is not None and fixed.interval_ms else [],
    )


def rate_tree(fixed: FundingFixed) -> WhySay:
    """How a funding rate came about (P8, P9)."""
    name = f"{fixed.symbol}@{fixed.due_ms}"
    tree = Tree("funding_rate", name, seq=fixed.seq, time_ms=fixed.due_ms, rule="P9")
    tree.number(
        "premium", fixed.average_e12, 12, "", "the interval's samples, the latest heaviest (P8)"
    )
    tree.number("samples", fixed.samples, 0, "", "taken every 5 s of a book with two sides")
    tree.number("interest", fixed.interest_e12, 12, "", "the contract, for eight hours")
    tree.number("clamp", fixed.clamp_e12, 12, "", "the contract, for eight hours")
    tree.number("cap", fixed.cap_e12, 12, "", "a share of the lowest maintenance rate")
    tree.number("interval", fixed.interval_ms, 0, "ms", "the contract")
    tree.step(
        "pull",
        "Interest less premium, within the clamp",
        "max(-clamp, min(clamp, interest - premium))",
        "",
    )
    tree.step("uncapped", "The rate for eight hours", "premium + pull", "")
    tree.step("capped", "The same, within the cap", "max(-cap, min(cap, uncapped))", "")
    tree.step(
        "rate",
        "The part of eight hours that the interval is, half-even",
        f"half_even(capped * interval / {8 * _HOUR_MS}, 12)",
        "",
        (fixed.rate_e12, 12),
    )
    tree.threshold("is_capped", "Whether the cap changed it", "abs(uncapped) > cap")
    return tree.say(
        f"The rate of {fixed.symbol} came to {tree['rate']}: an average premium of"
        f" {tree['premium']}, drawn towards {tree['interest']} by at most {tree['clamp']}."
    )
