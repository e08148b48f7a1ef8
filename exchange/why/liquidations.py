"""Why an account was liquidated: what it held and needed, and each step to the end (M10, P13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exchange.events import LiquidationEnded, LiquidationStarted, LiquidationStepped
from exchange.why.calls import worth
from exchange.why.tree import Tree
from exchange.wire.why import WhySay
from matching.instrument import Instrument, amount_text
from risk.account import PERP

Instruments = Mapping[str, Instrument]
Step = LiquidationStepped | LiquidationEnded


def liquidation_tree(
    started: LiquidationStarted, steps: Sequence[Step], instruments: Instruments, quote: str
) -> WhySay:
    """The tree of a liquidation; its steps so far are its children."""
    is_perp = started.scope.startswith(PERP)
    rule = "P13" if is_perp else "M10"
    tree = Tree("liquidation", str(started.n), seq=started.seq, time_ms=started.time_ms, rule=rule)
    tree.note("scope", started.scope, "the account")
    says = _perp(tree, started, instruments, quote) if is_perp else _margin(tree, started, quote)
    children = [_step(step, instruments, rule) for step in steps]
    return tree.say(says, children)


def _margin(tree: Tree, started: LiquidationStarted, quote: str) -> str:
    worth(tree, started.assets, started.debts, quote)
    tree.number("liquidation_level", started.bound_e12, 12, "", "the leverage or loan tier")
    tree.step(
        "level",
        "Assets by debts, rounded down to show",
        "floor(assets / debts, 12)",
        "",
        (started.level_e12, 12),
    )
    tree.threshold(
        "liquidated", "At the liquidation level or below", "assets <= liquidation_level * debts"
    )
    return (
        f"{started.scope} was liquidated: assets of {tree['assets']} against debts of"
        f" {tree['debts']} {quote} are a level of {tree['level']}, not above"
        f" {tree['liquidation_level']}."
    )


def _perp(tree: Tree, started: LiquidationStarted, instruments: Instruments, quote: str) -> str:
    """Balance against maintenance. The wallet is what the balance has beyond its positions."""
    wallet_e16 = started.assets_e16
    if started.positions:
        quote = instruments[started.positions[0][0].partition("/")[0]].quote
    for at, (leg, lots, cost_minor, mark_e8, unrealised_e16, mmr_e12, maintenance_e28) in enumerate(
        started.positions, 1
    ):
        instrument = instruments[leg.partition("/")[0]]
        _position(tree, f"_{at}", instrument, (leg, lots, cost_minor, mark_e8))
        _requirement(tree, f"_{at}", instrument, (unrealised_e16, mmr_e12, maintenance_e28))
        wallet_e16 -= unrealised_e16
    tree.number("wallet", wallet_e16, 16, quote, f"the wallet {started.scope}")
    count = len(started.positions)
    for name, part, told, says in (
        ("balance", "unrealised", started.assets_e16, "The wallet and what is not realised yet"),
        ("maintenance", "maintenance", None, "What the positions need"),
    ):
        terms = ["wallet"] if name == "balance" else []
        terms += [f"{part}_{at}" for at in range(1, count + 1)]
        formula = " + ".join(terms) or "0"
        tree.step(name, says, formula, quote, None if told is None else (told, 16))
    if count:
        tree.threshold(
            "liquidated", "The balance has fallen to what is needed", "balance <= maintenance"
        )
    else:
        tree.threshold("bankrupt", "Nothing is held and something is owed", "balance < 0")
    return (
        f"{started.scope} was liquidated: a margin balance of {tree['balance']} {quote} is not"
        f" above the maintenance margin of {tree['maintenance']} {quote}."
    )


def _position(tree: Tree, at: str, instrument: Instrument, held: tuple[str, int, int, int]) -> None:
    leg, lots, cost_minor, mark_e8 = held
    size_unit = instrument.quote if instrument.kind == "inverse" else instrument.base
    tree.note(f"leg{at}", leg, "the account")
    tree.number(f"position{at}", lots * instrument.face_minor, 8, size_unit, "the account")
    tree.number(f"cost{at}", cost_minor, 8, instrument.settle, "the account")
    tree.number(f"mark{at}", mark_e8, 8, instrument.quote, "the mark price")


def _requirement(tree: Tree, at: str, instrument: Instrument, sums: tuple[int, int, int]) -> None:
    """P1 and P3, as values in the quote at the mark."""
    unrealised_e16, mmr_e12, maintenance_e28 = sums
    inverse = instrument.kind == "inverse"
    tree.step(
        f"unrealised{at}",
        "Value at the mark less cost",
        f"-position{at} - cost{at} * mark{at}"
        if inverse
        else f"position{at} * mark{at} - cost{at}",
        instrument.quote,
        (unrealised_e16, 16),
    )
    notional = f"abs(position{at})" if inverse else f"abs(position{at}) * mark{at}"
    tree.step(f"notional{at}", "Its size at the mark", notional, instrument.quote)
    tree.number(f"rate{at}", mmr_e12, 12, "", "the bracket of that size")
    whole_e28 = tree.reckon(f"notional{at} * rate{at} * {10**28}")
    less_e28 = int(whole_e28) - maintenance_e28
    tree.number(f"less{at}", less_e28, 28, instrument.quote, "the bracket's maintenance amount")
    tree.step(
        f"maintenance{at}",
        "Notional by the bracket's rate, less its maintenance amount",
        f"notional{at} * rate{at} - less{at}",
        instrument.quote,
        (maintenance_e28, 28),
    )


# -- steps -------------------------------------------------------------------------------------

_PERP_RULES = {"sold": "P13.5", "bought": "P13.5", "fee": "P13.6", "fund": "P13.7", "adl": "P14"}
_MARGIN_RULES = {
    "sold": "M10.4",
    "bought": "M10.4",
    "repaid": "M10.2",
    "fee": "M10.6",
    "takeover": "M10.5",
}


def _step(step: Step, instruments: Instruments, rule: str) -> WhySay:
    if isinstance(step, LiquidationEnded):
        return _end(step, rule)
    rules = _PERP_RULES if rule == "P13" else _MARGIN_RULES
    name = str(step.n)
    tree = Tree(
        "liquidation_step",
        name,
        seq=step.seq,
        time_ms=step.time_ms,
        rule=rules.get(step.step, rule),
    )
    tree.note("step", step.step, "the liquidation")
    instrument = instruments.get(step.symbol)
    if step.step == "fee" and step.rate_e12:
        tree.number("charged_on", step.base_minor, 8, step.asset, "what was traded")
        tree.number("fee_rate", step.rate_e12, 12, "", "the instrument")
        tree.number("left", step.left_minor, 8, step.asset, "what was left to take it from")
        tree.step(
            "amount",
            "The fee, rounded up, and no more than is left",
            "min(ceil(charged_on * fee_rate, 8), left)",
            step.asset,
            (step.amount_minor, 8),
        )
    else:
        tree.number("amount", step.amount_minor, 8, step.asset, "the liquidation")
    traded = ""
    if instrument is not None and step.lots:
        traded = f" {instrument.qty_text(step.lots)} {step.symbol}"
        tree.number("price", step.price_ticks * instrument.tick_e8, 8, instrument.quote, "the book")
        traded += f" at {tree['price']}"
    return tree.say(
        _STEPS.get(step.step, "{step}: {amount} {asset}{traded}.").format(
            step=step.step, amount=tree["amount"], asset=step.asset, traded=traded
        )
    )


_STEPS = {
    "sold": "Sold{traded} for {amount} {asset}.",
    "bought": "Bought{traded} for {amount} {asset}.",
    "repaid": "Repaid {amount} {asset} from the balance.",
    "fee": "The liquidation fee of {amount} {asset} went to the insurance fund.",
    "fund": "The insurance fund took over{traded}.",
    "takeover": "The venue took over {amount} {asset} (a debt if negative).",
}
_ENDS = {
    "restored": "It ended: the level is restored, and the rest is the account's to trade.",
    "closed": "It ended: everything is closed or repaid, and what is left is the account's.",
    "bankrupt": "It ended with nothing left; the fund paid {covered} for what was lacking.",
}


def _end(ended: LiquidationEnded, rule: str) -> WhySay:
    tree = Tree("liquidation_step", str(ended.n), seq=ended.seq, time_ms=ended.time_ms, rule=rule)
    tree.note("result", ended.result, "the liquidation")
    tree.number("covered", ended.covered_minor, 8, "", "the insurance fund")
    says = _ENDS.get(ended.result, f"It ended: {ended.result}.")
    return tree.say(says.format(covered=amount_text(ended.covered_minor)))
