# cython: overflowcheck=True
"""Double entry: every balance of the venue, and the one door through which money moves."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias

from matching.invariants import hold
from risk.money import kept

# The house's own accounts.  Those of users and agents begin at FIRST_ACCOUNT.
WORLD: Final = 1  # What came in from outside, as a negative balance: deposits and capital.
FEES: Final = 2
INSURANCE: Final = 3  # Of perpetuals; it may hold positions it took over.
MARGIN_INSURANCE: Final = 4  # Of spot margin.
POOL: Final = 5  # Lends the assets of spot margin.
LIQUIDATION: Final = 6  # Takes over what nobody would buy, and sells it off.
ROUNDING: Final = 7  # Remainders below one unit, for whom nobody else answers.
CLEARING: Final = 8  # Between the two sides of a contract: minus the sum of its signed costs.
FUNDING: Final = 9  # Funding of an instant while some accounts have not settled it yet.
DUST: Final = 10  # Takes what is too little to sell, and holds it.
SOCIALIZED_LOSS: Final = 11  # What nobody could pay, where the venue allows that (P13.8).
CONVERSION: Final = 12  # Takes what multi-asset wallets pay their debts with, and sells it.
FIRST_ACCOUNT: Final = 100

HOUSE_NAMES: Final = {
    WORLD: "world",
    FEES: "fees",
    INSURANCE: "insurance",
    MARGIN_INSURANCE: "margin_insurance",
    POOL: "pool",
    LIQUIDATION: "liquidation",
    ROUNDING: "rounding",
    CLEARING: "clearing",
    FUNDING: "funding",
    DUST: "dust",
    SOCIALIZED_LOSS: "socialized_loss",
    CONVERSION: "conversion",
}


class PostingReason(StrEnum):
    """Why money moved; hashed as its text, for an enumeration's own hash costs a slow call."""

    __hash__ = str.__hash__

    DEPOSIT = "deposit"
    TRADE = "trade"
    FEE = "fee"
    BORROW = "borrow"
    REPAY = "repay"
    INTEREST = "interest"
    FUNDING = "funding"
    LIQUIDATION = "liquidation"
    INSURANCE = "insurance"
    ADL = "adl"
    TRANSFER = "transfer"
    MARGIN = "margin"
    ROUNDING = "rounding"
    RESET = "reset"
    DUST = "dust"
    CONVERSION = "conversion"


Posting: TypeAlias = tuple[int, str, str, int, int, PostingReason, int]
"""One movement, seen from one side of it: owner, wallet, asset, change and balance after it in
minor units, why, and the order, trade or loan it came from."""
_Kept = tuple[int, str, str, int | str, int]  # Owner, wallet, asset, balance, locked.


class Pocket:
    """One asset in one wallet of one owner; `locked` is the part that open orders hold."""

    __slots__ = ("asset", "locked", "minor", "owner", "wallet")

    def __init__(self, owner: int, wallet: str, asset: str) -> None:
        self.owner = owner
        self.wallet = wallet
        self.asset = asset
        self.minor = 0
        self.locked = 0

    @property
    def free(self) -> int:
        """What is there and not held by an order, in minor units."""
        return self.minor - self.locked

    def __repr__(self) -> str:
        return f"<Pocket {self.owner}/{self.wallet}/{self.asset} {self.minor} locked {self.locked}>"


class Ledger:
    """Every pocket; the sum over all owners of an asset is zero at every moment."""

    __slots__ = ("_house", "_pockets", "postings", "touched")

    def __init__(self) -> None:
        self._pockets: dict[tuple[int, str, str], Pocket] = {}
        self._house: dict[tuple[int, str, str], Pocket] = {}  # Of these, the house's own.
        self.postings: list[Posting] = []
        self.touched: dict[Pocket, None] = {}

    def pocket(self, owner: int, wallet: str, asset: str) -> Pocket:
        """The pocket of that name; an empty one is made where there was none."""
        key = (owner, wallet, asset)
        found = self._pockets.get(key)
        if found is None:
            found = self._pockets[key] = Pocket(owner, wallet, asset)
            if owner < FIRST_ACCOUNT:
                self._house[key] = found
        return found

    def find(self, owner: int, wallet: str, asset: str) -> Pocket | None:
        """The pocket of that name, if it was ever used."""
        return self._pockets.get((owner, wallet, asset))

    def house(self, owner: int, asset: str, wallet: str = "house") -> Pocket:
        """A pocket of one of the house's own accounts."""
        return self.pocket(owner, wallet, asset)

    def post(
        self, source: Pocket, target: Pocket, minor: int, reason: PostingReason, reference: int = 0
    ) -> None:
        """Move money; a negative amount moves it the other way, nothing is not posted.

        A pocket may go below zero only where a rule says so (the world, funds in deficit,
        a perpetual wallet whose loss is covered by open profit); the callers see to that.
        """
        assert source.asset == target.asset, (source, target)
        if not minor:
            return
        source.minor -= minor
        target.minor += minor
        self.touched[source] = None
        self.touched[target] = None
        if source.owner >= FIRST_ACCOUNT:
            wallet, asset = source.wallet, source.asset
            told = (source.owner, wallet, asset, -minor, source.minor, reason, reference)
            self.postings.append(told)
        if target.owner >= FIRST_ACCOUNT:
            wallet, asset = target.wallet, target.asset
            told = (target.owner, wallet, asset, minor, target.minor, reason, reference)
            self.postings.append(told)

    def lock(self, pocket: Pocket, minor: int) -> None:
        """Hold a part of a pocket for an order."""
        assert 0 <= minor <= pocket.minor - pocket.locked, (pocket, minor)
        if minor:
            pocket.locked += minor
            self.touched[pocket] = None

    def unlock(self, pocket: Pocket, minor: int) -> None:
        """Free what an order held."""
        assert 0 <= minor <= pocket.locked, (pocket, minor)
        if minor:
            pocket.locked -= minor
            self.touched[pocket] = None

    def drop_empty(self, pocket: Pocket) -> None:
        """Forget a pocket that holds nothing, so that old ones do not pile up."""
        if not pocket.minor and not pocket.locked:
            for pockets in (self._pockets, self._house):
                pockets.pop((pocket.owner, pocket.wallet, pocket.asset), None)

    def house_minor(self, owner: int, asset: str, wallet: str = "house") -> int:
        """The balance of a house pocket, to read; 0 where there is none."""
        found = self._house.get((owner, wallet, asset))
        return found.minor if found else 0

    def house_pockets(self, owner: int) -> list[Pocket]:
        """Every pocket of one of the house's accounts. O(the house's pockets)."""
        return [pocket for key, pocket in self._house.items() if key[0] == owner]

    def house_totals(self) -> dict[str, dict[str, int]]:
        """Per asset: each of the house's accounts by name, and `world`. O(the house's pockets)."""
        found: dict[str, dict[str, int]] = {}
        for pocket in self._house.values():
            by_name = found.setdefault(pocket.asset, {})
            name = HOUSE_NAMES[pocket.owner]
            by_name[name] = by_name.get(name, 0) + pocket.minor
        return found

    def check(self) -> None:
        """Assert that nothing was made or lost (I1), and that holds lie within balances (I5)."""
        sums: dict[str, int] = {}
        for key, pocket in self._pockets.items():
            sums[pocket.asset] = sums.get(pocket.asset, 0) + pocket.minor
            held = pocket.locked >= 0 and (not pocket.locked or pocket.locked <= pocket.minor)
            hold("I5", held, pocket.owner, pocket)
            known = (pocket.owner < FIRST_ACCOUNT) is (self._house.get(key) is pocket)
            hold(
                "I1", known, pocket.owner, "the house's pockets are not what they were: {}", pocket
            )
        for asset, total in sums.items():
            says = f"the pockets add up to {total} units, not to zero"
            hold("I1", total == 0, asset, says)

    def state(self) -> list[_Kept]:
        """Every pocket, in a fixed order, for a snapshot: the world's may pass 64 bits."""
        return [
            (pocket.owner, pocket.wallet, pocket.asset, kept(pocket.minor), pocket.locked)
            for _, pocket in sorted(self._pockets.items())
            if pocket.minor or pocket.locked
        ]

    def restore(self, state: list[_Kept]) -> None:
        """Take back what `state` gave."""
        assert not self._pockets
        for owner, wallet, asset, minor, locked in state:
            pocket = self.pocket(owner, wallet, asset)
            pocket.minor = int(minor)
            pocket.locked = locked
