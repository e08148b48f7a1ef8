# cython: overflowcheck=True
"""Multi-asset mode: several assets on the linear perpetual wallet, and interest on what it owes.

Profit, fees and funding are settled in the venue's quote, which may fall below zero while other
assets stand behind it (P18).  A positive balance counts at index x ratio, a negative one in full
(V76), and the sum is what the cross wallet of linear contracts is worth.  An hour of interest on
the negative part is taken from the wallet itself, for the insurance fund that would have to pay:
whole units at once, so a debt grows by them; the rest is carried, and counts as owed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from risk.account import PERP, Account
from risk.ledger import FIRST_ACCOUNT, INSURANCE, PostingReason
from risk.loans import hour_of_interest_e18
from risk.money import E10, E12, ceil_div
from risk.records import InterestRecord
from risk.tallies import Flow

if TYPE_CHECKING:
    from risk.state import RiskState
    from risk.watch import Band

E18_IN_E20: Final = 100  # Units of 10^-20 of an asset in one of 10^-18.


class Weight(NamedTuple):
    """An asset of the wallet, and how it counts."""

    asset: str
    minor: int
    ratio_e12: int  # 1 for what is owed.
    weight_e20: int  # Balance x ratio, less the interest that is carried.
    price_e8: int  # 0 while there is none.

    @property
    def value_e28(self) -> int:
        """What it counts, exactly; negative for a debt."""
        return self.weight_e20 * self.price_e8


# -- what it is worth --------------------------------------------------------------------------


def weights(state: RiskState, account: Account, *, fresh_only: bool = False) -> list[Weight]:
    """Every asset of the account's linear wallet and how it counts, in a fixed order (V76).

    With `fresh_only` collateral whose index is frozen counts nothing (T27): so is reckoned what
    may leave. An asset without a price counts nothing.
    """
    found = []
    for (wallet, asset), pocket in sorted(account.pockets.items()):
        owed_e18 = account.perp_interest_e18.get(asset, 0)
        if wallet != PERP or not (pocket.minor or owed_e18):
            continue
        ratio_e12 = state.assets[asset].perp_ratio_e12 if pocket.minor > 0 else E12
        price_e8 = state.price_e8(asset) or 0
        if fresh_only and pocket.minor > 0 and not is_fresh(state, asset):
            price_e8 = 0
        weight = pocket.minor * ratio_e12 - owed_e18 * E18_IN_E20
        found.append(Weight(asset, pocket.minor, ratio_e12, weight, price_e8))
    return found


def wallet_e28(state: RiskState, account: Account, *, fresh_only: bool = False) -> int:
    """All balances of the linear wallet as they count, without open profit, exactly (V76)."""
    return sum(each.value_e28 for each in weights(state, account, fresh_only=fresh_only))


def is_fresh(state: RiskState, asset: str) -> bool:
    """Whether the asset has a price that is not frozen (P7)."""
    if asset == state.venue.quote:
        return True
    index = state.indexes.get(f"{asset}-{state.venue.quote}")
    return index is not None and index.index_e8 is not None and index.fresh


def is_multi(account: Account, wallet: str) -> bool:
    """Whether a wallet is reckoned over several assets."""
    return wallet == PERP and account.multi_asset


def accepts(state: RiskState, account: Account, asset: str) -> bool:
    """Whether an asset may be put on the account's linear wallet."""
    if asset == state.venue.quote:
        return True
    return account.multi_asset and state.assets[asset].perp_ratio_e12 > 0


# -- bands and what may leave ------------------------------------------------------------------


def collateral_sources(state: RiskState, account: Account) -> list[Weight]:
    """The assets of the wallet whose index moves what it is worth."""
    quote = state.venue.quote
    return [
        each
        for each in weights(state, account)
        if each.asset != quote and each.weight_e20 and each.price_e8
    ]


def collateral_bands(state: RiskState, moved: Sequence[Weight], share_e28: int) -> list[Band]:
    """How far the index of each asset may move for a share of the wallet's slack.

    A price that moves against the wallet by d costs exactly weight x d.
    """
    bands: list[Band] = []
    for each in moved:
        source = f"{each.asset}-{state.venue.quote}"
        room_e8 = share_e28 // abs(each.weight_e20)
        if each.weight_e20 > 0:
            bands.append((source, each.price_e8 - room_e8, None))
        else:
            bands.append((source, None, each.price_e8 + room_e8))
    return bands


def max_leave(
    state: RiskState, account: Account, asset: str, unrealised_e16: int, taken_e16: int
) -> int:
    """The most of an asset that may leave with something still available, rounded down (P5).

    `taken_e16` is what positions and orders need; profit that is not realised does not leave, and
    an asset without a fresh price stays.
    """
    free = account.free(PERP, asset)
    if free <= 0 or not is_fresh(state, asset):
        return 0
    worth_e28 = wallet_e28(state, account, fresh_only=True)
    room_e28 = worth_e28 + (min(0, unrealised_e16) - taken_e16) * E12
    price_e8 = state.price_e8(asset) or 0
    counts_e28 = state.assets[asset].perp_ratio_e12 * price_e8
    if not counts_e28:
        return free  # It counts nothing, so nothing is lost with it.
    return max(0, min(free, room_e28 // counts_e28))


def owes(state: RiskState, account: Account) -> bool:
    """Whether anything on the wallet is below zero."""
    return any(each.weight_e20 < 0 for each in weights(state, account))


# -- interest ----------------------------------------------------------------------------------


def settle_wallet(
    state: RiskState, account: Account, rates_e12: dict[str, int], due_ms: int
) -> None:
    """Interest of an instant, where it has any; a debt that is to be converted makes a check due.

    Funding alone, which bands may allow for, can have led to it.
    """
    charge_hour(state, account, rates_e12, due_ms)
    if must_convert(state, account):
        state.touch_wallet(account, PERP)


def must_convert(state: RiskState, account: Account) -> bool:
    """Whether the wallet owes more of the quote than the venue lets stand (P18)."""
    if not account.multi_asset:
        return False
    return -account.minor(PERP, state.venue.quote) > state.venue.convert_above_minor


def charge_hour(state: RiskState, account: Account, rates_e12: dict[str, int], due_ms: int) -> None:
    """One hour of interest on what the wallet owes, at the hour's rates (M7, P18).

    Whole units go to the fund; bands that allow for so much of the quote stay.
    """
    for asset in [each.asset for each in weights(state, account)]:
        pocket = state.pocket(account, PERP, asset)
        rate_e12 = rates_e12.get(asset)
        if pocket.minor >= 0 or not rate_e12:
            continue
        owed_minor = -pocket.minor
        charge_e18 = hour_of_interest_e18(owed_minor, 0, rate_e12, compound=False)
        units, rest = divmod(account.perp_interest_e18.get(asset, 0) + charge_e18, E10)
        _carry(account, asset, rest)
        _pay(state, account, asset, units)
        state.tell(
            InterestRecord(account.id, PERP, asset, owed_minor, rate_e12, charge_e18, rest, due_ms)
        )
        if asset == state.venue.quote and account.id >= FIRST_ACCOUNT:
            state.watch.spend(account.id, PERP, ceil_div(charge_e18, E10))
        else:
            state.touch_wallet(account, PERP)


def pay_carried(state: RiskState, account: Account) -> None:
    """Pay the interest that is carried, each rest of it as a whole unit (A4)."""
    for asset in sorted(account.perp_interest_e18):
        _pay(state, account, asset, 1)
    account.perp_interest_e18.clear()


def _carry(account: Account, asset: str, rest_e18: int) -> None:
    if rest_e18:
        account.perp_interest_e18[asset] = rest_e18
    else:
        account.perp_interest_e18.pop(asset, None)


def _pay(state: RiskState, account: Account, asset: str, minor: int) -> None:
    fund = state.pocket(state.accounts[INSURANCE], PERP, asset)
    state.ledger.post(state.pocket(account, PERP, asset), fund, minor, PostingReason.INTEREST)
    state.tallies.note(fund, Flow.INTEREST, minor)
