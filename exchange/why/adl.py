"""Why a position was deleveraged: its rank among those opposite, and what closing it made (P14)."""

from __future__ import annotations

from exchange.events import Deleveraged
from exchange.why.tree import Tree
from exchange.wire.why import WhySay
from matching.instrument import Instrument


def adl_tree(event: Deleveraged, instrument: Instrument) -> WhySay:
    """The tree of one reduction at somebody else's bankruptcy price."""
    tree = Tree("adl", str(event.n), seq=event.seq, time_ms=event.time_ms, rule="P14")
    inverse = instrument.kind == "inverse"
    size_unit = instrument.quote if inverse else instrument.base
    tree.note("position_side", "long" if event.lots_before > 0 else "short", "the account")
    tree.number("rank", event.rank, 0, "", "the order of scores, the highest first")
    tree.number("qty", event.lots * instrument.face_minor, 8, size_unit, "what was left to take")
    price_e8 = event.price_ticks * instrument.tick_e8
    tree.number("price", price_e8, 8, instrument.quote, "the other's bankruptcy price")
    size = event.lots_before * instrument.face_minor
    tree.number("position_before", size, 8, size_unit, "the account")
    tree.number("cost_before", event.cost_before_minor, 8, event.asset, "the account")
    tree.number("mark", event.mark_e8, 8, instrument.quote, "the mark price")
    tree.number("equity", event.equity_e16, 16, instrument.quote, "what stood behind it")
    _score(tree, event, instrument)
    _profit(tree, event, instrument)
    return tree.say(
        f"Nobody else took what a bankrupt account had to close, so the profitable and leveraged"
        f" on the other side did: as number {event.rank}, {tree['qty']} {size_unit} of this"
        f" position were closed at {tree['price']}, without fee, for {tree['realised']}"
        f" {event.asset}."
    )


def _score(tree: Tree, event: Deleveraged, instrument: Instrument) -> None:
    """Profit by cost, times leverage; a loss by cost, over leverage (P14, V70, V71).

    It is the score by which the position was ranked. Where its account changed since, by another
    leg that was reduced before, the score stands as it was.
    """
    inverse = instrument.kind == "inverse"
    tree.step(
        "unrealised",
        "What the position had won at the mark",
        "-position_before - cost_before * mark"
        if inverse
        else "position_before * mark - cost_before",
        instrument.quote,
    )
    tree.step(
        "notional",
        "Its size at the mark",
        "abs(position_before)" if inverse else "abs(position_before) * mark",
        instrument.quote,
    )
    tree.step(
        "cost",
        "What it had cost",
        "abs(cost_before) * mark" if inverse else "abs(cost_before)",
        instrument.quote,
    )
    formula = "floor(unrealised * notional / (cost * equity), 12)"
    says = "Profit by cost, times size by equity"
    if tree.reckon("unrealised") <= 0:
        formula = "floor(unrealised * equity / (cost * notional), 12)"
        says = "Loss by cost, times equity by size"
    told = (event.score_e12, 12)
    fits = tree.reckon("cost * equity") > 0 and tree.reckon(f"{formula} * {10**12}") == told[0]
    if fits:
        tree.step("score", says, formula, "", told)
    else:
        tree.number("score", *told, "", "the ranking, before others were reduced")


def _profit(tree: Tree, event: Deleveraged, instrument: Instrument) -> None:
    """A5, as in any fill."""
    tree.step(
        "released",
        "The closed part's share of the cost, half-even",
        "half_even(cost_before * qty / abs(position_before), 8)",
        event.asset,
    )
    inverse = instrument.kind == "inverse"
    tree.step(
        "closed_for",
        "What the closed part comes to at the price",
        "half_even(qty / price, 8)" if inverse else "price * qty",
        event.asset,
    )
    gains = (event.lots_before > 0) is not inverse
    tree.step(
        "realised",
        "What it was closed for, less what it cost",
        "closed_for - released" if gains else "-closed_for - released",
        event.asset,
        (event.realised_minor, 8),
    )
