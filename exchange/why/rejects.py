"""Why a request was refused: what it asked for, what there was, and the comparison that decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from exchange.events import Answered
from exchange.why.numbers import Amount, amounts
from exchange.why.tree import Tree
from exchange.wire.why import WhySay
from matching.instrument import Instrument
from matching.reasons import Reason


class Step(NamedTuple):
    """A number that is reckoned from the others; `unit` is the name of one with the same unit."""

    name: str
    says: str
    formula: str
    like: str


class Told(NamedTuple):
    """What a refusal compares: steps before, the comparison, and what it says in words."""

    says: str
    decides: str
    because: str
    steps: tuple[Step, ...] = ()


Key = tuple[Reason, str]  # A reason, and the rule it came by.


def reject_tree(event: Answered, instruments: Mapping[str, Instrument], quote: str) -> WhySay:
    """The tree of a command that was refused; `event` is the answer to it."""
    reason = event.reason
    assert reason is not None
    numbers = event.details
    rule = str(numbers.get("rule") or PLAIN_RULES.get(reason, ""))
    tree = Tree("reject", str(event.seq), seq=event.seq, time_ms=event.time_ms, rule=rule)
    tree.note("reason", reason.name, "the answer")
    instrument = instruments.get(str(numbers.get("symbol", "")))
    units: dict[str, str] = {}
    for each in amounts(numbers, instrument, quote):
        if isinstance(each, Amount):
            source = SOURCES.get(each.name, "the account")
            tree.number(each.name, each.amount, each.scale, each.unit, source)
            units[each.name] = each.unit
        else:
            tree.note(*each, SOURCES.get(each[0], "the request"))
    told = _told(reason, rule, numbers, instrument)
    if told is None:
        return tree.say(f"It was refused: {reason.value}.")
    for step in told.steps:
        units[step.name] = units.get(step.like, "")
        tree.step(step.name, step.says, step.formula, units[step.name])
    tree.threshold("refused", told.because, told.decides)
    found = {name: tree[name] for name in units}
    named = {f"{name}_unit": unit for name, unit in units.items()}
    return tree.say(told.says.format(**found, **named))


def _told(
    reason: Reason, rule: str, numbers: Mapping[str, int | str], instrument: Instrument | None
) -> Told | None:
    """The comparison; which of several, where one reason has several, the numbers tell."""
    side = numbers.get("side")
    if reason is Reason.NOTIONAL_TOO_SMALL or reason is Reason.NOTIONAL_TOO_LARGE:
        return _notional(reason, numbers)
    if reason is Reason.PERCENT_PRICE:
        return _percent_price(numbers)
    if reason is Reason.PRICE_BAND:
        return _BAND_BUY if side == "buy" else _BAND_SELL
    if reason is Reason.WOULD_TAKE:
        return _TAKE_BUY if side == "buy" else _TAKE_SELL
    if reason is Reason.WOULD_TRIGGER:
        return _RISES if side == "rises" else _FALLS
    if reason is Reason.PRICE_OUT_OF_RANGE and rule:
        low = int(numbers["price_ticks"]) < int(numbers.get("price_min_ticks", 0))
        return _PRICE_TOO_LOW if low else TOLD[reason, rule]
    if reason is Reason.REDUCE_ONLY_WOULD_INCREASE and side == "buy":
        return TOLD[reason, rule]._replace(decides="position >= 0")
    if reason is Reason.QTY_OUT_OF_RANGE and "qty_min_lots" in numbers:
        less = int(numbers["qty_lots"]) < int(numbers["qty_min_lots"])
        return _LESS_THAN_MIN if less else _MORE_THAN_MAX
    if reason is Reason.INSUFFICIENT_BALANCE and rule == "S11":
        return TOLD[reason, rule]._replace(steps=_need(numbers))
    if reason is Reason.BRACKET_EXCEEDED and instrument and instrument.kind == "inverse":
        return None  # Its notional is told in the quote and its cap in coins.
    return TOLD.get((reason, rule))


def _need(numbers: Mapping[str, int | str]) -> tuple[Step, ...]:
    """S11: a limit buy holds its cost, with the fee where that is paid in quote; a sale its size.

    A market order holds what walking the book would cost, which the book alone knew.
    """
    says = "What the order must hold"
    if numbers["side"] == "sell" and numbers["qty_lots"]:
        return (Step("reckoned", says, "qty", "need"),)
    cost = "spend" if numbers["spend_minor"] else "price * qty" if numbers["price_ticks"] else ""
    if not cost or numbers["side"] == "sell":
        return ()
    fee = f" + ceil({cost} * hold_rate, 8)" if numbers["hold_rate_e12"] else ""
    return (Step("reckoned", says, cost + fee, "need"),)


def _notional(reason: Reason, numbers: Mapping[str, int | str]) -> Told:
    steps: tuple[Step, ...] = ()
    if "price_ticks" in numbers:
        steps = (Step("worth", "Price times quantity", "price * qty", "notional"),)
    elif "reference_e8" in numbers:
        worth = "floor(reference * qty, 8)"
        steps = (Step("worth", "Reference price times quantity", worth, "notional"),)
    if reason is Reason.NOTIONAL_TOO_SMALL:
        says = "The order is worth {notional} {notional_unit}; the least is {notional_min}."
        return Told(says, "notional < notional_min", "It is worth less than the least", steps)
    says = "The order is worth {notional} {notional_unit}; the most is {notional_max}."
    return Told(says, "notional > notional_max", "It is worth more than the most", steps)


def _percent_price(numbers: Mapping[str, int | str]) -> Told:
    bounds = (
        Step("lowest", "The lowest price taken now", "reference * down", "price"),
        Step("highest", "The highest price taken now", "reference * up", "price"),
    )
    says = "The price of {price} lies too far from the reference of {reference}."
    # Only one of the bounds can have been passed, and the reference lies between them.
    price_e8 = int(numbers["price_ticks"]) * int(numbers["tick_e8"])
    decides = "price > highest" if price_e8 > int(numbers["reference_e8"]) else "price < lowest"
    return Told(says, decides, "It is beyond what is taken now", bounds)


_PRICE_TOO_LOW: Final = Told(
    "The price of {price} is below the least of {price_min}.", "price < price_min", "Too low"
)
_LESS_THAN_MIN: Final = Told(
    "The quantity of {qty} is below the least of {qty_min}.", "qty < qty_min", "Below the least"
)
_MORE_THAN_MAX: Final = Told(
    "The quantity of {qty} is above the most of {qty_max}.", "qty > qty_max", "Above the most"
)
_BAND_BUY: Final = Told(
    "A buy at {price} is above {bound}, the most anybody may bid now.",
    "price > bound",
    "Above the bound",
    (
        Step(
            "unrounded",
            "The bound before it is cut to the tick",
            "min(max(index, index * (1 + band) + premium), index * (1 + limit))",
            "index",
        ),
    ),
)
_BAND_SELL: Final = Told(
    "A sale at {price} is below {bound}, the least anybody may ask now.",
    "price < bound",
    "Below the bound",
    (
        Step(
            "unrounded",
            "The bound before it is raised to the tick",
            "max(min(index, index * (1 - band) + premium), index * (1 - limit))",
            "index",
        ),
    ),
)
_TAKE_BUY: Final = Told(
    "A post-only buy at {price} would take the offer at {best}.", "price >= best", "It would take"
)
_TAKE_SELL: Final = Told(
    "A post-only sale at {price} would take the bid at {best}.", "price <= best", "It would take"
)
_RISES: Final = Told(
    "It waits for a rise to {trigger}, and the price is {market}.",
    "market >= trigger",
    "It would trigger at once",
)
_FALLS: Final = Told(
    "It waits for a fall to {trigger}, and the price is {market}.",
    "market <= trigger",
    "It would trigger at once",
)
_AVAILABLE: Final = Step(
    "free",
    "Balance less the margin of positions and orders, and what is kept for their losses and fees",
    "max(0, balance - initial - orders - kept)",
    "available",
)

TOLD: Final[dict[Key, Told]] = {
    (Reason.INSUFFICIENT_BALANCE, "S11"): Told(
        "The order must hold {need} {need_unit}, and {free} is free.",
        "need > free",
        "It needs more than is free",
    ),
    (Reason.INSUFFICIENT_BALANCE, "I5"): Told(
        "{asked} {asked_unit} was asked for, and {free} is free.",
        "asked > free",
        "It asks for more than is free",
    ),
    (Reason.INSUFFICIENT_MARGIN, "P4"): Told(
        "The order asks for {asked} {asked_unit} of margin, and {available} is available.",
        "available < asked",
        "Less is available than it asks for",
        (
            _AVAILABLE,
            Step(
                "required",
                "Margin with the order less margin without it, its open loss and its fees",
                "after - before + held",
                "asked",
            ),
        ),
    ),
    (Reason.INSUFFICIENT_MARGIN, "P17"): Told(
        "A leverage of {leverage} asks for {asked} {asked_unit} more margin, and {available} is"
        " available.",
        "asked > available",
        "Less is available than it asks for",
    ),
    (Reason.INSUFFICIENT_MARGIN, "P5"): Told(
        "{asked} {asked_unit} was asked for, and {most} may leave the wallet.",
        "asked > most",
        "More than may leave the wallet",
    ),
    (Reason.TRANSFER_WOULD_BREACH_MARGIN, "P5"): Told(
        "{asked} {asked_unit} was asked for, and {most} may leave the wallet.",
        "asked > most",
        "More than may leave the wallet",
    ),
    (Reason.TRANSFER_WOULD_BREACH_MARGIN, "M5"): Told(
        "{asked} {asked_unit} was asked for, and {most} may leave the wallet.",
        "asked > most",
        "More than the debts let go",
    ),
    (Reason.MARGIN_NOT_REMOVABLE, "P17"): Told(
        "{asked} {asked_unit} was to be taken out, and {most} is above the requirement.",
        "asked > most",
        "More than is above the requirement",
    ),
    (Reason.BRACKET_EXCEEDED, "P3"): Told(
        "The position could come to {notional} {notional_unit}; at a leverage of {leverage} the"
        " most is {cap}.",
        "notional > cap",
        "Larger than the leverage allows",
        (
            Step(
                "size_by_price",
                "The largest size the orders lead to, at the higher of mark and order price",
                "reach * price",
                "notional",
            ),
        ),
    ),
    (Reason.REDUCE_ONLY_WOULD_INCREASE, "P15"): Told(
        "The position is {position} {position_unit}: there is nothing for the order to reduce.",
        "position <= 0",
        "There is no opposite position",
    ),
    (Reason.LEVERAGE_OUT_OF_RANGE, "P2"): Told(
        "A leverage of {leverage} is not between 1 and {leverage_max}.",
        "abs(2 * leverage - 1 - leverage_max) > leverage_max - 1",
        "Outside of 1 to the most",
    ),
    (Reason.INSUFFICIENT_INVENTORY, "M2"): Told(
        "{asked} {asked_unit} was asked for, and the pool has {pool}.",
        "asked > pool",
        "More than the pool has",
    ),
    (Reason.BORROW_LIMIT, "M5"): Told(
        "{asked} on top of {owed} {owed_unit} would exceed the limit of {limit}.",
        "owed + asked > limit",
        "Beyond what may be borrowed of the asset",
    ),
    (Reason.COLLATERAL_TOO_LOW, "M5"): Told(
        "{asked} {asked_unit} was asked for, and the collateral carries {most} more.",
        "asked > most",
        "More than the collateral carries",
        (
            Step(
                "room",
                "Collateral beyond what the present debt needs; what the loan itself counts as"
                " collateral comes on top of it",
                "collateral - initial * debts",
                "collateral",
            ),
        ),
    ),
    (Reason.PRICE_OUT_OF_RANGE, "S9"): Told(
        "The price of {price} is above the most of {price_max}.", "price > price_max", "Too high"
    ),
    (Reason.MAX_ICEBERGS, "S9"): Told(
        "{icebergs} icebergs are open, and {icebergs_max} may be.",
        "icebergs >= icebergs_max",
        "As many as may be are open",
    ),
    (Reason.MAX_AMENDS, "S9"): Told(
        "The order was changed {amends} times, and {amends_max} are allowed.",
        "amends >= amends_max",
        "As often as may be",
    ),
    (Reason.MAX_POSITION, "S9"): Told(
        "{has} {has_unit} are held or bid for; with {qty} more it would exceed {position_max}.",
        "has + qty > position_max",
        "More than may be held",
    ),
    (Reason.MAX_ASSET, "S9"): Told(
        "The order would move {moved} {moved_unit}; the most is {order_max}.",
        "moved > order_max",
        "More than one order may move",
    ),
    (Reason.MARKET_QTY_OUT_OF_RANGE, "S9"): _MORE_THAN_MAX,
    (Reason.MAX_ORDERS, "S9"): Told(
        "{open_orders} orders are open, and {orders_max} may be.",
        "open_orders >= orders_max",
        "As many as may be are open",
    ),
    (Reason.MAX_ALGO_ORDERS, "S9"): Told(
        "{asleep} stops wait already, and {asleep_max} may.",
        "asleep >= asleep_max",
        "As many as may be wait already",
    ),
    (Reason.EXPIRY_IN_PAST, "S2"): Told(
        "It would expire at {expire}, and it is {now}.", "expire <= now", "It is past already"
    ),
    (Reason.AMEND_BELOW_FILLED, "S7"): Told(
        "{done} is filled or gone, and {qty} was asked for in all.", "qty <= done", "Not above it"
    ),
}

# The rules of refusals that say it all and have no numbers.
PLAIN_RULES: Final[dict[Reason, str]] = {
    Reason.SYMBOL_NOT_TRADING: "S13",
    Reason.WOULD_TAKE: "S2",
    Reason.PRICE_BAND: "S12",
    Reason.POSITION_OPEN: "P2",
    Reason.ORDERS_OPEN: "P2",
    Reason.NO_POSITION: "P17",
    Reason.POSITION_NOT_ISOLATED: "P17",
    Reason.ACCOUNT_LIQUIDATING: "M10",
    Reason.NOTHING_OWED: "M8",
    Reason.NOT_BORROWABLE: "M2",
    Reason.NO_MARK_PRICE: "P7",
    Reason.NO_INDEX_PRICE: "P6",
    Reason.SIDE_EFFECT_NOT_ALLOWED: "M6",
    Reason.MARGIN_NOT_ALLOWED: "M1",
    Reason.ASSET_NOT_IN_WALLET: "M1",
    Reason.DUPLICATE_ID: "A7",
    Reason.PRICE_MISSING: "S2",
    Reason.PRICE_NOT_ALLOWED: "S2",
    Reason.QTY_MISSING: "S2",
    Reason.EXPIRY_MISSING: "S2",
    Reason.COMBINATION_NOT_ALLOWED: "S2",
    Reason.TRIGGER_MISSING: "S4",
    Reason.TRIGGER_NOT_ALLOWED: "S4",
    Reason.TRACKING_STARTED: "S4",
    Reason.TRAILING_DELTA: "S9",
    Reason.CLOSE_POSITION_TAKES_NO_QTY: "P15",
    Reason.CLOSE_POSITION_WAITS: "P15",
    Reason.NOTHING_TO_AMEND: "S7",
    Reason.AMOUNT_BELOW_ONE_LOT: "S3",
}

# Where a number comes from; what is not named here is the account's.
SOURCES: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("asked", "qty", "price", "trigger", "spend", "leverage", "expire"), "the request"
    ),
    **dict.fromkeys(("mark",), "the mark price"),
    **dict.fromkeys(("market",), "the price that triggers it"),
    **dict.fromkeys(("index", "reference"), "the index"),
    **dict.fromkeys(("best",), "the book"),
    **dict.fromkeys(
        (
            "qty_min",
            "qty_max",
            "price_min",
            "price_max",
            "notional_min",
            "notional_max",
            "up",
            "down",
            "tick",
            "band",
            "limit",
            "orders_max",
            "asleep_max",
            "icebergs_max",
            "amends_max",
            "position_max",
            "order_max",
            "leverage_max",
            "cap",
        ),
        "the instrument",
    ),
    **dict.fromkeys(("hold_rate",), "the fee schedule"),
    **dict.fromkeys(("pool",), "the lending pool"),
    **dict.fromkeys(("now",), "the clock"),
    **dict.fromkeys(("state",), "the venue"),
}
