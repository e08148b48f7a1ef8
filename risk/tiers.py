# cython: overflowcheck=True
"""Fee tiers: by the quote volume of the thirty days before a day, from that day's start (S10).

A tier is told by days that are over, so it can be worked out whenever it is asked for: the answer
is that of the day's start.  At the day roll, last of a grid point, all that is left to do is to
tell those whose tier changed, in slices.
"""

from __future__ import annotations

from matching.types import Fill
from risk.account import Account
from risk.ledger import FIRST_ACCOUNT
from risk.money import E8
from risk.parameters import FeeKind, FeeTier
from risk.records import FeeTierRecord
from risk.state import RiskState
from risk.volumes import KINDS


def tier_of(state: RiskState, account: Account, kind: FeeKind) -> int:
    """The number of the account's tier on the present day, 0 for the first."""
    volume_minor = account.volumes.before(kind, state.fee_day.day)
    if not volume_minor:
        return 0
    tiers = state.venue.fees.tiers(kind)
    return max(number for number, tier in enumerate(tiers) if tier.volume_minor <= volume_minor)


def terms_of(state: RiskState, account: Account, kind: FeeKind) -> FeeTier:
    """The tier itself; it is worked out once a day."""
    day = state.fee_day.day
    known = account.volumes.terms.get(kind)
    if known is None or known[0] != day:
        tier = state.venue.fees.tiers(kind)[tier_of(state, account, kind)]
        known = account.volumes.terms[kind] = day, tier
    return known[1]


# -- volumes -----------------------------------------------------------------------------------


def volume_minor(state: RiskState, fill: Fill) -> int:
    """What a fill is worth in the venue's quote; of an inverse contract its face (section 6).

    What another asset is the quote of counts at the index.
    """
    instrument = state.instruments[fill.maker.symbol]
    if instrument.kind == "inverse":
        return fill.lots * instrument.face_minor
    notional = instrument.notional_minor(fill.price_ticks, fill.lots)
    if instrument.quote == state.venue.quote:
        return notional
    price_e8 = state.price_e8(instrument.quote)
    return notional * (price_e8 or state.assets[instrument.quote].start_price_e8) // E8


def count_trade(state: RiskState, fill: Fill) -> None:
    """Count a fill to the day's volume of both its owners; the house has none."""
    kind: FeeKind = "spot" if state.instruments[fill.maker.symbol].kind == "spot" else "perp"
    minor = volume_minor(state, fill)
    for order in (fill.maker, fill.taker):
        if order.account_id >= FIRST_ACCOUNT:
            volumes = state.accounts[order.account_id].volumes
            if volumes.add(kind, state.fee_day.day, minor):
                state.fee_day.traders.add(order.account_id)


# -- the day roll ------------------------------------------------------------------------------


def begin_day(state: RiskState, day: int) -> None:
    """From now on the tiers of this day hold, if they did not yet."""
    if day > state.fee_day.day:
        state.fee_day.begin(day)


def is_day_due(state: RiskState) -> bool:
    """Whether a day is to begin, or somebody still to be looked at."""
    return state.fee_day.looking or state.fee_day.due > state.fee_day.day


def tell_tiers(state: RiskState, budget: int) -> int:
    """Tell accounts whose tier is another than it was, in slices; the work done."""
    done = 0
    while state.fee_day.looking and done < budget:
        account_id = state.fee_day.next_account()
        done += 1
        if account_id is not None:
            _tell(state, state.accounts[account_id])
    return done


def _tell(state: RiskState, account: Account) -> None:
    volumes, day = account.volumes, state.fee_day.day
    volumes.forget(day)
    for kind in KINDS:
        tier = tier_of(state, account, kind)
        if tier != volumes.told[kind]:
            volumes.told[kind] = tier
            terms = state.venue.fees.tiers(kind)[tier]
            traded = volumes.before(kind, day)
            state.tell(
                FeeTierRecord(account.id, kind, tier, terms.maker_e12, terms.taker_e12, traded)
            )
    if not volumes.matter:
        state.fee_day.traders.discard(account.id)
