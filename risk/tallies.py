# cython: overflowcheck=True
"""What explains the insurance funds and deleveraging to the unit: every amount by its kind (I10).

Each place that moves money of a fund says here what for, beside the posting itself; so money that
a fund wins or loses in any other way shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from matching.invariants import hold
from risk.ledger import HOUSE_NAMES, INSURANCE, MARGIN_INSURANCE, Pocket
from risk.money import kept

FUNDS: Final = (INSURANCE, MARGIN_INSURANCE)


class Flow(StrEnum):
    """Why a fund's balance changed."""

    CAPITAL = "capital"  # What the venue gave it at its first moment.
    FEES = "fees"  # Of liquidations (P13.6, M10.6).
    SURPLUS = "surplus"  # Of liquidations, where the venue keeps it (V72).
    COVERS = "covers"  # What it paid for others (P13.8, M10.7).
    TRADING = "trading"  # Profit of positions it took over, less the fees of its own trades.
    FUNDING = "funding"  # Of those positions (P10).
    UNWINDING = "unwinding"  # What the house won or lost on what it took over in its place.
    INTEREST = "interest"  # On what multi-asset wallets owe (P18).


class Tallies:
    """All that the funds got and paid since the first moment, and what deleveraging was to take."""

    __slots__ = ("_flows", "given", "returned", "taken")

    def __init__(self) -> None:
        self._flows: dict[tuple[int, str, str], dict[Flow, int]] = {}  # By a fund's pocket.
        self.given: dict[str, int] = {}  # Lots for which counterparties were sought, by symbol,
        self.taken: dict[str, int] = {}  # those that counterparties took,
        self.returned: dict[str, int] = {}  # and those for which there was nobody.

    # -- funds ---------------------------------------------------------------------------------

    def note(self, pocket: Pocket, flow: Flow, minor: int) -> None:
        """A fund's pocket got an amount, or paid it when negative; others are not counted."""
        if minor and pocket.owner in FUNDS:
            flows = self._flows.setdefault((pocket.owner, pocket.wallet, pocket.asset), {})
            flows[flow] = flows.get(flow, 0) + minor

    def of(self, pocket: Pocket) -> dict[Flow, int]:
        """All that a fund's pocket ever got and paid, by kind, in minor units."""
        return dict(self._flows.get((pocket.owner, pocket.wallet, pocket.asset), {}))

    def check(self, pockets: Iterable[Pocket]) -> None:
        """I10: each pocket of a fund holds what it got, less what it paid."""
        for pocket in pockets:
            flows = self.of(pocket)
            explained = sum(flows.values())
            name = f"{HOUSE_NAMES[pocket.owner]}:{pocket.wallet}:{pocket.asset}"
            told = {str(flow): minor for flow, minor in sorted(flows.items())}
            says = f"it holds {pocket.minor}, and {explained} are explained: {told}"
            hold("I10", pocket.minor == explained, name, says)

    # -- deleveraging --------------------------------------------------------------------------

    def give(self, symbol: str, lots: int) -> None:
        """Counterparties are sought for so many lots."""
        self.given[symbol] = self.given.get(symbol, 0) + lots

    def take(self, symbol: str, lots: int) -> None:
        """A counterparty took so many."""
        self.taken[symbol] = self.taken.get(symbol, 0) + lots

    def give_up(self, symbol: str, lots: int) -> None:
        """For so many nobody was found, or the search was broken off."""
        self.returned[symbol] = self.returned.get(symbol, 0) + lots

    def check_given(self, symbol: str, seeking: int) -> None:
        """I10: what was taken is all that was given, less what came back and what is under way."""
        given, taken = self.given.get(symbol, 0), self.taken.get(symbol, 0)
        returned = self.returned.get(symbol, 0)
        says = f"of {given} lots {taken} were taken, {returned} came back, {seeking} are left"
        hold("I10", given == taken + returned + seeking, f"deleveraging of {symbol}", says)

    # -- snapshots -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """For a snapshot."""
        return {
            "flows": [
                (*key, [(str(flow), kept(minor)) for flow, minor in sorted(flows.items())])
                for key, flows in sorted(self._flows.items())
            ],
            "given": _sorted(self.given),
            "taken": _sorted(self.taken),
            "returned": _sorted(self.returned),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        for owner, wallet, asset, flows in state["flows"]:
            self._flows[owner, wallet, asset] = {Flow(flow): int(minor) for flow, minor in flows}
        for name in ("given", "taken", "returned"):
            getattr(self, name).update({symbol: int(lots) for symbol, lots in state[name]})


def _sorted(counts: dict[str, int]) -> list[tuple[str, int | str]]:
    return [(symbol, kept(lots)) for symbol, lots in sorted(counts.items())]
