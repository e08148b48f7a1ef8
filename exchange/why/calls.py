"""Why margin was called: what the wallet held and owed, asset by asset, and the level (M3, M9)."""

from __future__ import annotations

from exchange.events import MarginCalled
from exchange.why.tree import Tree
from exchange.wire.why import WhySay
from risk.records import Parts


def call_tree(event: MarginCalled, quote: str) -> WhySay:
    """The tree of a margin call, or of its end."""
    tree = Tree("call", str(event.n), seq=event.seq, time_ms=event.time_ms, rule="M9")
    tree.note("wallet", event.scope, "the account")
    tree.number("call_level", event.call_level_e12, 12, "", "the wallet's leverage or loan tier")
    worth(tree, event.assets, event.debts, quote)
    if not event.debts:
        return tree.say(f"The margin call on {event.scope} ended: nothing is owed any more.")
    tree.step(
        "level",
        "Assets by debts, rounded down to show",
        "floor(assets / debts, 12)",
        "",
        (event.level_e12, 12),
    )
    tree.threshold("called", "At the call level or below it", "assets <= call_level * debts")
    if event.cleared:
        return tree.say(
            f"The margin call on {event.scope} ended: its level is {tree['level']}, above"
            f" {tree['call_level']}."
        )
    tree.step(
        "add",
        "What brings the level back to the call level, rounded up",
        "ceil(max(0, call_level * debts - assets), 8)",
        quote,
        (event.add_minor, 8),
    )
    return tree.say(
        f"Margin was called on {event.scope}: its level of {tree['level']} is not above"
        f" {tree['call_level']}; {tree['add']} {quote} would bring it back."
    )


def worth(tree: Tree, assets: Parts, debts: Parts, quote: str) -> None:
    """Assets and debts of a spot margin wallet at the index, part by part (M3)."""
    for asset, minor, price_e8 in assets:
        tree.number(f"held_{asset.lower()}", minor, 8, asset, "the wallet")
        _price(tree, asset, price_e8, quote)
    for asset, owed_e18, price_e8 in debts:
        tree.number(f"owed_{asset.lower()}", owed_e18, 18, asset, "the loan, with its interest")
        _price(tree, asset, price_e8, quote)
    for name, kind, parts, says in (
        ("assets", "held", assets, "All that the wallet holds, at the index"),
        ("debts", "owed", debts, "All that it owes, with interest, at the index"),
    ):
        terms = [f"{kind}_{asset.lower()} * price_{asset.lower()}" for asset, _, _ in parts]
        tree.step(name, says, " + ".join(terms) or "0", quote)


def _price(tree: Tree, asset: str, price_e8: int, quote: str) -> None:
    name = f"price_{asset.lower()}"
    if name not in tree:
        tree.number(name, price_e8, 8, quote, f"the index of {asset}")
