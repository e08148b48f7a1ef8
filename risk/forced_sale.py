"""Forced sales of spot margin: collateral is turned into what is owed on the public book (M10)."""

from __future__ import annotations

from typing import Final, NamedTuple

from matching.types import Order, Side
from risk.account import Account, Loan
from risk.borrowing import repay
from risk.fees import rates_e12
from risk.ledger import MARGIN_INSURANCE, PostingReason
from risk.liquidation import Road
from risk.loan_tiers import levels
from risk.loans import partial_sale
from risk.margin_worth import MarginWorth, margin_worth, wallet_assets
from risk.money import E12, ceil_div, charged
from risk.records import StepRecord
from risk.reserve_spot import affordable
from risk.state import RiskState
from risk.tallies import Flow

HOUSE_BAND_BPS: Final = 300  # How far from the index the house trades what it took over.


def restored(state: RiskState, account: Account, wallet: str, worth: MarginWorth) -> bool:
    """Whether the level has come back to where a liquidation stops early (M10, section 9)."""
    target = levels(state, account, wallet).restored_e12
    return worth.assets_e28 * E12 >= target * worth.debts_e28


def repay_in_kind(state: RiskState, account: Account, wallet: str) -> None:
    """Debts are repaid from a balance of the same asset first: no trade, no fee (M10.2)."""
    for loan in account.wallet_loans(wallet):
        taken = repay(state, account, wallet, loan.asset, loan.owed_minor)
        if taken:
            tell_step(state, account, wallet, "repaid", loan.asset, taken)


def tell_step(
    state: RiskState,
    account: Account,
    wallet: str,
    step: str,
    asset: str,
    minor: int,
    order: Order | None = None,
) -> None:
    """Tell a step of a liquidation, with the trade it made."""
    lots = order.filled_lots if order else 0
    ticks = order.filled_units // lots if order and lots else 0
    symbol = order.symbol if order else ""
    state.tell(StepRecord(account.id, wallet, symbol, step, asset, minor, lots, ticks))


def pay_fee(state: RiskState, account: Account, wallet: str, asset: str, fee: int) -> None:
    """A liquidation fee to the margin fund, at most what is free of the asset (M10.6)."""
    pocket = state.pocket(account, wallet, asset)
    fee = min(fee, max(0, pocket.free))
    fund = state.ledger.house(MARGIN_INSURANCE, asset)
    state.ledger.post(pocket, fund, fee, PostingReason.LIQUIDATION)
    state.tallies.note(fund, Flow.FEES, fee)
    if fee:
        tell_step(state, account, wallet, "fee", asset, fee)


def _debts_by_value(state: RiskState, account: Account, wallet: str) -> list[Loan]:
    """Debts, the largest value first (M10.3)."""

    def value(loan: Loan) -> int:
        return -loan.owed_e18 * (state.price_e8(loan.asset) or 0)

    return sorted(account.wallet_loans(wallet), key=lambda loan: (value(loan), loan.asset))


def _collateral_by_rank(state: RiskState, account: Account, wallet: str) -> list[str]:
    """Assets to part with: the highest collateral ratio first, then the largest value (M10.3)."""

    def rank(held: tuple[str, int]) -> tuple[int, int, str]:
        asset, total = held
        ratio = state.assets[asset].collateral[0].ratio_e12
        return (-ratio, -total * (state.price_e8(asset) or 0), asset)

    return [asset for asset, _ in sorted(wallet_assets(account, wallet), key=rank)]


class Terms(NamedTuple):
    """How a trade is made: in which round (None: the house's own) and with what liquidation fee.

    Where it takes two trades to turn one asset into another, only the last pays that fee.
    """

    round: int | None
    fee_e12: int = 0
    trades_left: int = 1


def trade_down(
    state: RiskState, road: Road, account: Account, wallet: str, round_: int | None
) -> None:
    """Turn collateral into what is owed, debt by debt, as little as restores the level (M10.4).

    The house, which has no level to restore, turns all it has.
    """
    for loan in _debts_by_value(state, account, wallet):
        for asset in _collateral_by_rank(state, account, wallet):
            if (wallet, loan.asset) not in account.loans or asset == loan.asset:
                continue
            worth = margin_worth(state, account, wallet)
            if round_ is not None and restored(state, account, wallet, worth):
                return
            route = _route(state, asset, loan.asset)
            fee_e12 = 0 if round_ is None else _fee_e12(state, route)
            for place, (symbol, side) in enumerate(route):
                terms = Terms(round_, fee_e12, len(route) - place)
                forced(state, road, account, wallet, (symbol, side, terms))
            repay_in_kind(state, account, wallet)


def _route(state: RiskState, source: str, target: str) -> list[tuple[str, Side]]:
    """The trades that turn one asset into another: the direct pair, or by way of the quote."""
    for base, other, side in ((source, target, Side.SELL), (target, source, Side.BUY)):
        if f"{base}-{other}" in state.instruments:
            return [(f"{base}-{other}", side)]
    quote = state.venue.quote
    legs = [(f"{source}-{quote}", Side.SELL), (f"{target}-{quote}", Side.BUY)]
    return [leg for leg in legs if leg[0] in state.instruments]


def _fee_e12(state: RiskState, route: list[tuple[str, Side]]) -> int:
    """The liquidation fee of the pair of the last trade."""
    return state.spots[route[-1][0]].liquidation_fee_e12 if route else 0


def _limit_ticks(state: RiskState, symbol: str, side: Side, round_: int | None) -> int:
    """The index -/+ the pair's band of that round, as an order's price; 0 without an index."""
    instrument = state.instruments[symbol]
    bands = state.spots[symbol].liquidation_bands_bps
    band_bps = HOUSE_BAND_BPS if round_ is None else bands[min(round_, len(bands) - 1)]
    base_e8, quote_e8 = state.price_e8(instrument.base), state.price_e8(instrument.quote)
    if not base_e8 or not quote_e8:
        return 0
    price_e8 = base_e8 * 10**8 // quote_e8
    if side is Side.BUY:
        return max(1, price_e8 * (10_000 + band_bps) // 10_000 // instrument.tick_e8)
    return max(1, ceil_div(price_e8 * (10_000 - band_bps) // 10_000, instrument.tick_e8))


def forced(
    state: RiskState,
    road: Road,
    account: Account,
    wallet: str,
    trade: tuple[str, Side, Terms],
) -> None:
    """One immediate order; its share of the liquidation fee leaves its proceeds at once (V30)."""
    symbol, side, terms = trade
    instrument = state.instruments[symbol]
    ticks = _limit_ticks(state, symbol, side, terms.round)
    if not ticks or symbol in state.halted:
        return
    partial = _lots_to_restore(state, account, wallet, symbol, terms)
    if side is Side.BUY:
        # A partial purchase pays the liquidation fee out of what it buys.
        fee_e12 = 0 if partial is None else terms.fee_e12
        lots = _lots_to_buy(state, account, wallet, (symbol, ticks), fee_e12)
    else:
        lots = instrument.whole_lots(max(0, account.free(wallet, instrument.base)))
    if partial is not None:
        lots = min(lots, partial)
    if lots <= 0:
        return
    order = road.force(account, wallet, symbol, side, lots, ticks)
    if not order.filled_lots:
        return
    value = order.filled_units * instrument.unit_minor
    did = "sold" if side is Side.SELL else "bought"
    tell_step(state, account, wallet, did, instrument.quote, value, order)
    _note_fee(state, account, wallet, order, terms, whole=partial is None)


def _note_fee(
    state: RiskState, account: Account, wallet: str, order: Order, terms: Terms, *, whole: bool
) -> None:
    """A partial sale pays its liquidation fee now, a full close-out after its debts (V28)."""
    job = account.liquidating.get(wallet)
    if job is None or not terms.fee_e12 or terms.trades_left > 1:
        return
    instrument = state.instruments[order.symbol]
    value = order.filled_units * instrument.unit_minor
    if whole:
        job.fee_e28 += value * (state.price_e8(instrument.quote) or 0) * terms.fee_e12
    elif order.side is Side.SELL:
        pay_fee(state, account, wallet, instrument.quote, charged(value, terms.fee_e12))
    else:
        base = instrument.base_minor(order.filled_lots)
        pay_fee(state, account, wallet, instrument.base, charged(base, terms.fee_e12))


def _lots_to_buy(
    state: RiskState, account: Account, wallet: str, offer: tuple[str, int], fee_e12: int
) -> int:
    """Lots of a debt's asset that repay it with fees on top, as far as the quote goes."""
    symbol, ticks = offer
    instrument = state.instruments[symbol]
    loan = account.loans.get((wallet, instrument.base))
    if loan is None:
        return 0
    keep_e12 = E12 - rates_e12(state, account, "spot").taker_e12 - fee_e12
    missing = max(0, loan.owed_minor - max(0, account.free(wallet, instrument.base)))
    wanted = ceil_div(ceil_div(missing * E12, keep_e12), instrument.lot_minor)
    money = affordable(state, account.free(wallet, instrument.quote))
    return min(wanted, money // (ticks * instrument.unit_minor))


def _lots_to_restore(
    state: RiskState, account: Account, wallet: str, symbol: str, terms: Terms
) -> int | None:
    """The fewest lots whose sale restores the level (V30); None: all there are."""
    if terms.round is None:
        return None
    worth = margin_worth(state, account, wallet)
    taker_e12 = rates_e12(state, account, "spot").taker_e12
    cost_e12 = terms.trades_left * taker_e12 + terms.fee_e12
    target = levels(state, account, wallet).restored_e12
    sale = partial_sale(worth.assets_e28, worth.debts_e28, target, cost_e12)
    instrument = state.instruments[symbol]
    price_e8 = state.price_e8(instrument.base)
    if sale is None or not price_e8:
        return None
    return ceil_div(sale.sell_e16, price_e8 * instrument.lot_minor)
