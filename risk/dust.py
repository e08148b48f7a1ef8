"""Dust: what is too little to be sold on a book, and the house that takes it (S10, V14, T21)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from matching.instrument import Instrument
from matching.reasons import Reason
from risk.account import SPOT, Account
from risk.ledger import DUST, FEES, PostingReason
from risk.money import E8, charged
from risk.state import RiskState

DUST_SPENT_MAX: Final = 1_000_000 * E8  # The house is never short of more quote for its dust.


def max_sellable_minor(instrument: Instrument, free_minor: int, price_e8: int | None) -> int:
    """The most of a free balance that an order on the pair can sell: whole lots (V14).

    Nothing where that is below the pair's least quantity, or at this price its least notional;
    without a price the notional is not asked for.
    """
    lots = instrument.whole_lots(free_minor)
    if not lots or lots < instrument.lots_min:
        return 0
    sellable = instrument.base_minor(lots)
    if price_e8 and sellable * price_e8 // E8 < instrument.notional_min_minor:
        return 0
    return sellable


def dust_minor(state: RiskState, account: Account, asset: str) -> int:
    """What of the account's free spot balance no order can sell against the venue's quote."""
    instrument = state.instruments.get(f"{asset}-{state.venue.quote}")
    if instrument is None:
        return 0
    free = account.free(SPOT, asset)
    return free - max_sellable_minor(instrument, free, state.price_e8(asset))


def convert_dust(
    state: RiskState, account: Account, wallet: str, assets: Iterable[str]
) -> Reason | None:
    """Sell dust to the house at the index, less a fee, for quote; all that is named, or nothing.

    Without names it is all there is that is worth something.
    """
    if wallet != SPOT:
        return Reason.UNKNOWN_WALLET
    named = list(dict.fromkeys(assets))
    sales: list[tuple[str, int, int]] = []
    for asset in named or sorted(state.assets):
        sale = _sale(state, account, asset)
        if not isinstance(sale, Reason):
            sales.append((asset, *sale))
        elif named:
            free = account.free(SPOT, asset)
            return state.refuse(sale, "S10", wallet=wallet, asset=asset, free_minor=free)
    if not sales:
        return Reason.NO_DUST
    quote = state.venue.quote
    spent = -state.ledger.house(DUST, quote).minor + sum(worth for _, _, worth in sales)
    if spent > DUST_SPENT_MAX:
        return state.refuse(Reason.DUST_LIMIT, "S10", asked_minor=spent, most_minor=DUST_SPENT_MAX)
    for asset, minor, worth in sales:
        _sell(state, account, asset, minor, worth)
    return None


def _sale(state: RiskState, account: Account, asset: str) -> tuple[int, int] | Reason:
    """(amount, worth in quote) of the dust of one asset, or why there is none to sell."""
    if asset not in state.assets:
        return Reason.UNKNOWN_ASSET
    minor = dust_minor(state, account, asset)
    if not minor:
        return Reason.NO_DUST
    index = state.indexes.get(f"{asset}-{state.venue.quote}")
    if index is None or index.index_e8 is None or not index.fresh:
        return Reason.NO_INDEX_PRICE
    worth = minor * index.index_e8 // E8
    if worth <= charged(worth, state.venue.fees.dust_e12):
        return Reason.NO_DUST
    return minor, worth


def _sell(state: RiskState, account: Account, asset: str, minor: int, worth: int) -> None:
    ledger, quote = state.ledger, state.venue.quote
    taken, paid = state.pocket(account, SPOT, asset), state.pocket(account, SPOT, quote)
    ledger.post(taken, ledger.house(DUST, asset), minor, PostingReason.DUST)
    ledger.post(ledger.house(DUST, quote), paid, worth, PostingReason.DUST)
    fee = charged(worth, state.venue.fees.dust_e12)
    ledger.post(paid, ledger.house(FEES, quote), fee, PostingReason.FEE)
