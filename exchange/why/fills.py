"""Why a fill cost and made what it did: its price, fee, profit and margin (S1, S10, A5, P4)."""

from __future__ import annotations

from fractions import Fraction

from exchange.events import Filled
from exchange.why.tree import Tree
from exchange.wire.why import WhySay
from matching.instrument import Instrument
from matching.types import Side


def fill_id(symbol: str, trade_id: int) -> str:
    """What a fill is asked for by: trade ids count per symbol."""
    return f"{symbol}:{trade_id}"


def fill_tree(event: Filled, instrument: Instrument) -> WhySay:
    """The tree of one side of a trade."""
    tree = Tree(
        "fill",
        fill_id(event.symbol, event.trade_id),
        seq=event.seq,
        time_ms=event.time_ms,
        rule="S1",
    )
    is_perp = instrument.kind != "spot"
    size_unit = instrument.quote if instrument.kind == "inverse" else instrument.base
    tree.note("side", event.side.name.lower(), "the order")
    tree.note("role", "maker" if event.maker else "taker", "the book")
    price_e8 = event.price_ticks * instrument.tick_e8
    tree.number(
        "price", price_e8, 8, instrument.quote, "the maker's order: its price is the trade's"
    )
    tree.number("qty", event.lots * instrument.face_minor, 8, size_unit, "the book")
    tree.number("fee_rate", event.rate_e12, 12, "", "the account's fee tier")
    unit = instrument.settle if is_perp else instrument.quote
    _notional(tree, "notional", "qty", instrument, unit)
    _fee(tree, event, instrument)
    if is_perp:
        _profit(tree, event, instrument, size_unit)
        if event.margin_before_minor or event.margin_after_minor:
            _margin(tree, event, instrument)
    return tree.say(_sentence(tree, event, size_unit))


def _notional(tree: Tree, name: str, qty: str, instrument: Instrument, unit: str) -> None:
    """What a quantity comes to at the price: exactly, or of an inverse contract in coins (A3)."""
    if instrument.kind == "inverse":
        tree.step(
            name,
            "An inverse contract comes to its face value by the price, in coins, half-even",
            f"half_even({qty} / price, 8)",
            unit,
        )
    else:
        tree.step(name, "Price times quantity", f"price * {qty}", unit)


def _fee(tree: Tree, event: Filled, instrument: Instrument) -> None:
    """S10 and A4: a fee is rounded up, and a rebate, which is negative, in the house's favour."""
    told = (event.fee_minor, 8)
    in_base = instrument.kind == "spot" and event.fee_asset == instrument.base
    discounted = bool(event.paid_e8)
    if discounted:
        in_base = event.side is Side.BUY
    basis = "qty" if in_base else "notional"
    formula = f"ceil({basis} * fee_rate, 8)"
    says = "The fee on what is charged, rounded up to a whole unit"
    if discounted:
        tree.number("discount", event.discount_e12, 12, "", "the venue's fees")
        received = instrument.base if in_base else instrument.quote
        tree.number("index", event.price_e8, 8, instrument.quote, f"the index of {received}")
        tree.number(
            "fee_index", event.paid_e8, 8, instrument.quote, f"the index of {event.fee_asset}"
        )
        formula = f"ceil({basis} * fee_rate * (1 - discount) * index / fee_index, 8)"
        says = "The fee in the discount asset, less the discount, at the index, rounded up"
    elif tree.reckon(formula) > Fraction(event.fee_minor, 10**8):
        tree.number("held", event.fee_minor, 8, event.fee_asset, "what the wallet had left for it")
        formula = f"min({formula}, held)"
        says = "The fee, rounded up, but no more than was held for it"
    elif event.rate_e12 < 0:
        says = "A rebate, which is a negative fee, rounded down in amount"
    tree.step("fee", says, formula, event.fee_asset, told)


def _profit(tree: Tree, event: Filled, instrument: Instrument, size_unit: str) -> None:
    """A5: what a fill closes releases its share of the cost, and the difference is realised."""
    settle = instrument.settle
    face = instrument.face_minor
    tree.number("position_before", event.lots_before * face, 8, size_unit, "the account")
    tree.number("cost_before", event.cost_before_minor, 8, settle, "the account")
    signed = event.lots if event.side is Side.BUY else -event.lots
    sign = "+" if signed > 0 else "-"
    tree.step(
        "position_after", "The position with this fill", f"position_before {sign} qty", size_unit
    )
    if not event.lots_before or (event.lots_before > 0) == (signed > 0):
        return
    tree.step(
        "closed", "As much as is there is closed", "min(qty, abs(position_before))", size_unit
    )
    tree.step(
        "released",
        "The closed part's share of the cost, half-even; all of it on a full close",
        "half_even(cost_before * closed / abs(position_before), 8)",
        settle,
    )
    _notional(tree, "closed_for", "closed", instrument, settle)
    # What comes in by a sale of a linear contract is what goes out by one of an inverse (A5).
    gains = (event.lots_before > 0) is (instrument.kind == "linear")
    tree.step(
        "realised",
        "What the closed part was closed for, less what it cost",
        "closed_for - released" if gains else "-closed_for - released",
        settle,
        (event.realised_minor, 8),
    )


def _margin(tree: Tree, event: Filled, instrument: Instrument) -> None:
    """P4: an isolated position gets its share of margin as it opens, and gives it as it closes."""
    settle = instrument.settle
    tree.number("margin_before", event.margin_before_minor, 8, settle, "the isolated position")
    tree.number("leverage", event.leverage, 0, "", "the account's setting")
    after = (event.margin_after_minor, 8)
    closing = "closed" in tree
    qty = "qty - closed" if closing else "qty"
    opened = (
        f"half_even(({qty}) / price, 8)" if instrument.kind == "inverse" else f"price * ({qty})"
    )
    tree.step(
        "wanted",
        "What this fill opens needs its notional by the leverage as margin, rounded up",
        f"ceil({opened} / leverage, 8)",
        settle,
    )
    if not closing:
        formula = "margin_before + wanted"
        if tree.reckon(formula) != Fraction(event.margin_after_minor, 10**8):
            allotted = event.margin_after_minor - event.margin_before_minor
            tree.number("allotted", allotted, 8, settle, "all that the wallet had free")
            formula = "margin_before + min(wanted, allotted)"
        tree.step("margin_after", "The margin with what is added", formula, settle, after)
        return
    tree.step(
        "closing_fee",
        "The position pays for what it closes itself",
        "min(fee, ceil(closed_for * fee_rate, 8))",
        settle,
    )
    tree.step(
        "kept",
        "The share of the margin that stays with the rest",
        "margin_before - half_even(margin_before * closed / abs(position_before), 8)",
        settle,
    )
    _margin_after(tree, after, settle)


def _margin_after(tree: Tree, after: tuple[int, int], settle: str) -> None:
    """Which of the ways a margin may go it went: the first that comes to what was booked."""
    grown = "margin_before + realised - closing_fee"
    ways = (
        ("What is left of the share that stays", f"min({grown}, max(0, kept))"),
        ("A position that was flat: margin for what it opened", "wanted"),
        ("A liquidation leaves the margin in the position until it is done (V73)", grown),
    )
    for says, formula in ways:
        if tree.reckon(formula) == Fraction(after[0], 10 ** after[1]):
            tree.step("margin_after", says, formula, settle, after)
            return
    tree.number("allotted", after[0], 8, settle, "all that the wallet had free")
    tree.step("margin_after", "What the wallet had", "min(wanted, allotted)", settle, after)


def _sentence(tree: Tree, event: Filled, size_unit: str) -> str:
    did = "Bought" if event.side is Side.BUY else "Sold"
    role = "maker" if event.maker else "taker"
    fee = f"the fee is {tree['fee']} {event.fee_asset}"
    if event.fee_minor < 0:
        fee = f"the rebate is {tree['fee'].removeprefix('-')} {event.fee_asset}"
    made = f", and {tree['realised']} was realised" if "realised" in tree else ""
    return f"{did} {tree['qty']} {size_unit} at {tree['price']} as {role}; {fee}{made}."
