"""Conversion: what a multi-asset wallet owes of the quote is paid with its other assets (P18).

The house takes them at the index less a part of their haircut, so that a conversion never makes a
wallet count for less, and sells them on the spot book (`risk.unwinding`); what that wins or loses
is the insurance fund's.
"""

from __future__ import annotations

from matching.instrument import Instrument
from risk.account import PERP, SPOT, Account
from risk.ledger import CONVERSION, DUST, INSURANCE, PostingReason
from risk.money import E8, E12, ceil_div
from risk.multi_asset import Weight, is_multi, pay_carried, weights
from risk.records import ConversionRecord
from risk.state import RiskState
from risk.tallies import Flow


def pay_debt(state: RiskState, account: Account, wallet: str, cause: str) -> None:
    """All that a multi-asset wallet owes becomes due: carried interest too; others owe nothing.

    What its assets do not pay for stays, for the fund (P13.8).
    """
    if is_multi(account, wallet):
        pay_carried(state, account)
        convert(state, account, cause)


def convert(state: RiskState, account: Account, cause: str) -> None:
    """Take just enough of the other assets to bring the quote back to nothing owed.

    The asset that counts for most goes first, so that the least is lost. O(assets).
    """
    quote = state.venue.quote
    for each in sorted(weights(state, account), key=lambda each: (-each.ratio_e12, each.asset)):
        owed_minor = -account.minor(PERP, quote)
        if owed_minor <= 0:
            return
        if each.asset != quote and each.minor > 0 and each.price_e8:
            _take(state, account, each, owed_minor, cause)


def conversion_fee_e12(state: RiskState, asset: str) -> int:
    """What the house keeps of the worth of an asset it takes: a share of its haircut."""
    haircut_e12 = E12 - state.assets[asset].perp_ratio_e12
    return haircut_e12 * state.venue.convert_share_e12 // E12


def _take(state: RiskState, account: Account, held: Weight, owed_minor: int, cause: str) -> None:
    """Pay with one asset: no more than is owed takes, nor than is there."""
    quote, ledger = state.venue.quote, state.ledger
    house = state.accounts[CONVERSION]
    fee_e12 = conversion_fee_e12(state, held.asset)
    kept_e20 = held.price_e8 * (E12 - fee_e12)  # Of one whole: in 10^-20 of the quote.
    if not kept_e20:
        return
    minor = min(held.minor, ceil_div(owed_minor * E8 * E12, kept_e20))
    paid_minor = minor * kept_e20 // (E8 * E12)
    ledger.post(
        state.pocket(account, PERP, held.asset),
        state.pocket(house, SPOT, held.asset),
        minor,
        PostingReason.CONVERSION,
    )
    pocket = state.pocket(account, PERP, quote)
    source = state.pocket(house, SPOT, quote)
    ledger.post(source, pocket, paid_minor, PostingReason.CONVERSION)
    state.tell(
        ConversionRecord(
            account.id,
            PERP,
            held.asset,
            minor,
            held.price_e8,
            held.ratio_e12,
            fee_e12,
            quote,
            paid_minor,
            pocket.minor,
            cause,
        )
    )
    state.touch_wallet(account, PERP)


# -- the house ---------------------------------------------------------------------------------


def sell_price_ticks(state: RiskState, instrument: Instrument, share_e12: int) -> int:
    """A share of the index as the price of a sale, rounded up; 0 without a fresh index."""
    index = state.indexes.get(instrument.symbol)
    if index is None or not index.fresh or not index.index_e8:
        return 0
    return max(1, ceil_div(index.index_e8 * share_e12, E12 * instrument.tick_e8))


def settle_conversions(state: RiskState, house: Account) -> None:
    """All was sold: what is over goes to the fund, what is missing it pays as far as it can.

    What makes no lot is dust (S10), so that the house ends with nothing.
    """
    quote = state.venue.quote
    for (_, asset), rest in sorted(house.pockets.items()):
        if asset != quote:
            dust = state.ledger.house(DUST, asset)
            state.ledger.post(rest, dust, rest.minor, PostingReason.DUST)
    pocket = state.pocket(house, SPOT, quote)
    fund = state.pocket(state.accounts[INSURANCE], PERP, quote)
    amount = max(pocket.minor, -max(0, fund.minor))
    state.ledger.post(pocket, fund, amount, PostingReason.INSURANCE)
    state.tallies.note(fund, Flow.UNWINDING, amount)
