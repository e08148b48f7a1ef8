"""The auditor: all money of the venue against what came in, and every invariant, on demand."""

from __future__ import annotations

from typing import NamedTuple

from exchange.engine import Engine
from risk.account import PERP
from risk.ledger import INSURANCE


class Audit(NamedTuple):
    """What was found at a command; amounts in minor units."""

    ok: bool
    checked_at_seq: int
    assets: dict[str, dict[str, int]]  # Per asset: every kind of owner, and their `sum`, zero.
    problems: list[str]
    deficits: dict[str, int]  # Funds below zero, and bad debt, by name.


def audit(engine: Engine) -> Audit:
    """Check the invariants (MECHANICS section 4) and add up every pocket. O(accounts + orders)."""
    assets = engine.risk.ledger.totals()
    problems: list[str] = []
    for asset, owners in assets.items():
        total = sum(owners.values())
        owners["sum"] = total
        if total:
            problems.append(f"{asset}: the pockets add up to {total} units, not to zero")
    try:
        engine.check()
    except AssertionError as failure:
        problems.append(f"an invariant does not hold: {failure}")
    return Audit(not problems, engine.seq, assets, problems, deficits(engine))


def deficits(engine: Engine) -> dict[str, int]:
    """What is missing in the open: an insurance fund below zero, loans nobody repaid."""
    risk = engine.risk
    found: dict[str, int] = {}
    for (wallet, asset), pocket in risk.accounts[INSURANCE].pockets.items():
        if wallet == PERP and pocket.minor < 0:
            found[f"insurance:{asset}"] = pocket.minor
    for asset, minor in sorted(risk.bad_debt.items()):
        if minor:
            found[f"bad_debt:{asset}"] = -minor
    return found
