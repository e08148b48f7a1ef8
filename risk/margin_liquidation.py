"""Liquidation of spot margin (M10): sold and bought back on the public book, round by round."""

from __future__ import annotations

from typing import NamedTuple

from matching.types import Order, Side
from risk.account import MARGIN, Account, Job, Loan
from risk.borrowing import repay
from risk.ledger import LIQUIDATION, MARGIN_INSURANCE, PostingReason
from risk.liquidation import Road
from risk.loans import partial_sale
from risk.margin_worth import MarginWorth, levels, margin_worth, wallet_assets
from risk.money import E12, MINOR_IN_E16, at_most, ceil_div, charged
from risk.parameters import SpotParameters
from risk.parts import asset_parts, debt_parts
from risk.records import CoverRecord, EndRecord, LiquidationRecord, StepRecord
from risk.reserve_spot import affordable
from risk.state import RiskState

UNWIND_BAND_BPS = 300  # How far from the index the house sells what it took over.


def margin_breached(state: RiskState, account: Account, wallet: str, worth: MarginWorth) -> bool:
    """Whether a margin wallet is at its liquidation level or below (M4)."""
    bound = levels(state, account, wallet).liquidation_e12
    return at_most(worth.assets_e28, worth.debts_e28, bound)


def _restored(state: RiskState, account: Account, wallet: str, worth: MarginWorth) -> bool:
    """Whether the level has come back to where a liquidation stops early (M10, section 9)."""
    target = levels(state, account, wallet).restored_e12
    return worth.assets_e28 * E12 >= target * worth.debts_e28


def start_liquidation(state: RiskState, road: Road, account: Account, wallet: str) -> None:
    """Freeze the wallet, cancel its orders, and begin unless that alone restored it (M10.1)."""
    worth = margin_worth(state, account, wallet)
    state.tell(
        LiquidationRecord(
            account.id,
            wallet,
            "" if wallet == MARGIN else wallet.split(":")[1],
            worth.assets_e28 // E12,
            worth.debts_e28 // E12,
            worth.assets_e28 * E12 // worth.debts_e28,
            0,
            levels(state, account, wallet).liquidation_e12,
            asset_parts(state, account, wallet),
            debt_parts(state, account, wallet),
        )
    )
    account.liquidating[wallet] = Job()
    road.cancel_wallet(account, wallet)
    worth = margin_worth(state, account, wallet)
    if not margin_breached(state, account, wallet, worth):
        _end(state, account, wallet, "restored", 0)
    else:
        state.jobs[account.id, wallet] = None


def _end(state: RiskState, account: Account, wallet: str, result: str, covered: int) -> None:
    del account.liquidating[wallet]
    state.jobs.pop((account.id, wallet), None)
    state.jobs_later.pop((account.id, wallet), None)
    state.touch_wallet(account, wallet)
    state.tell(EndRecord(account.id, wallet, result, covered))


def next_round(state: RiskState, road: Road, account: Account, wallet: str) -> None:
    """One round of an unfinished liquidation: trade within this round's band, repay, look again."""
    job = account.liquidating[wallet]
    spot = _parameters(state, wallet)
    _repay_in_kind(state, account, wallet)
    worth = margin_worth(state, account, wallet)
    if _restored(state, account, wallet, worth):
        _end(state, account, wallet, "restored", 0)
        return
    low = at_most(worth.assets_e28, worth.debts_e28, spot.takeover_e12)
    if job.round >= len(spot.liquidation_bands_bps):
        _take_over(state, account, wallet)
        return
    band = spot.liquidation_bands_bps[-1 if low else job.round]
    job.round = len(spot.liquidation_bands_bps) if low else job.round + 1
    _trade_down(state, road, account, wallet, Terms(band, spot.liquidation_fee_e12))
    if not account.wallet_loans(wallet):
        _charge_after_debts(state, account, wallet, job, spot.liquidation_fee_e12)
        _end(state, account, wallet, "closed", 0)
    elif not wallet_assets(account, wallet):
        _end(state, account, wallet, "bankrupt", _cover(state, account, wallet))
    elif _restored(state, account, wallet, margin_worth(state, account, wallet)):
        _end(state, account, wallet, "restored", 0)


def _parameters(state: RiskState, wallet: str) -> SpotParameters:
    """The liquidation rule of a wallet's pair; cross margin follows the venue's first pair."""
    if wallet == MARGIN:
        return state.venue.spots[0]
    return state.spots[wallet.split(":")[1]]


def _repay_in_kind(state: RiskState, account: Account, wallet: str) -> None:
    """Debts are repaid from a balance of the same asset first: no trade, no fee (M10.2)."""
    for loan in account.wallet_loans(wallet):
        taken = repay(state, account, wallet, loan.asset, loan.owed_minor)
        if taken:
            _step(state, account, wallet, "repaid", loan.asset, taken)


def _step(
    state: RiskState,
    account: Account,
    wallet: str,
    step: str,
    asset: str,
    minor: int,
    order: Order | None = None,
) -> None:
    lots = order.filled_lots if order else 0
    ticks = order.filled_units // lots if order and lots else 0
    symbol = order.symbol if order else ""
    state.tell(StepRecord(account.id, wallet, symbol, step, asset, minor, lots, ticks))


# -- trading -----------------------------------------------------------------------------------


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
    """How one round trades: how far from the index, and the liquidation fee (0 for the house).

    Where it takes two trades to turn one asset into another, only the last pays that fee.
    """

    band_bps: int
    fee_e12: int
    trades_left: int = 1


def _trade_down(state: RiskState, road: Road, account: Account, wallet: str, terms: Terms) -> None:
    """Turn collateral into what is owed, debt by debt, as little as restores the level (M10.4)."""
    for loan in _debts_by_value(state, account, wallet):
        for asset in _collateral_by_rank(state, account, wallet):
            if (wallet, loan.asset) not in account.loans or asset == loan.asset:
                continue
            worth = margin_worth(state, account, wallet)
            if terms.fee_e12 and _restored(state, account, wallet, worth):
                return
            route = _route(state, asset, loan.asset)
            for place, (symbol, side) in enumerate(route):
                now = terms._replace(trades_left=len(route) - place)
                _forced(state, road, account, wallet, (symbol, side, now))
            _repay_in_kind(state, account, wallet)


def _route(state: RiskState, source: str, target: str) -> list[tuple[str, Side]]:
    """The trades that turn one asset into another: the direct pair, or by way of the quote."""
    for base, other, side in ((source, target, Side.SELL), (target, source, Side.BUY)):
        if f"{base}-{other}" in state.instruments:
            return [(f"{base}-{other}", side)]
    quote = state.venue.quote
    legs = [(f"{source}-{quote}", Side.SELL), (f"{target}-{quote}", Side.BUY)]
    return [leg for leg in legs if leg[0] in state.instruments]


def _limit_ticks(state: RiskState, symbol: str, side: Side, band_bps: int) -> int:
    """The index -/+ a band, as the price of an immediate order; 0 without an index."""
    instrument = state.instruments[symbol]
    base_e8, quote_e8 = state.price_e8(instrument.base), state.price_e8(instrument.quote)
    if not base_e8 or not quote_e8:
        return 0
    price_e8 = base_e8 * 10**8 // quote_e8
    if side is Side.BUY:
        return max(1, price_e8 * (10_000 + band_bps) // 10_000 // instrument.tick_e8)
    return max(1, ceil_div(price_e8 * (10_000 - band_bps) // 10_000, instrument.tick_e8))


def _forced(
    state: RiskState,
    road: Road,
    account: Account,
    wallet: str,
    trade: tuple[str, Side, Terms],
) -> None:
    """One immediate order; its share of the liquidation fee leaves its proceeds at once (V30)."""
    symbol, side, terms = trade
    instrument = state.instruments[symbol]
    ticks = _limit_ticks(state, symbol, side, terms.band_bps)
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
    _step(state, account, wallet, did, instrument.quote, value, order)
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
        job.sold_e16 += value * (state.price_e8(instrument.quote) or 0)
    elif order.side is Side.SELL:
        _pay_fee(state, account, wallet, instrument.quote, charged(value, terms.fee_e12))
    else:
        base = instrument.base_minor(order.filled_lots)
        _pay_fee(state, account, wallet, instrument.base, charged(base, terms.fee_e12))


def _lots_to_buy(
    state: RiskState, account: Account, wallet: str, offer: tuple[str, int], fee_e12: int
) -> int:
    """Lots of a debt's asset that repay it with fees on top, as far as the quote goes."""
    symbol, ticks = offer
    instrument = state.instruments[symbol]
    loan = account.loans.get((wallet, instrument.base))
    if loan is None:
        return 0
    keep_e12 = E12 - state.venue.fees.spot_taker_e12 - fee_e12
    missing = max(0, loan.owed_minor - max(0, account.free(wallet, instrument.base)))
    wanted = ceil_div(ceil_div(missing * E12, keep_e12), instrument.lot_minor)
    money = affordable(state, account.free(wallet, instrument.quote))
    return min(wanted, money // (ticks * instrument.unit_minor))


def _lots_to_restore(
    state: RiskState, account: Account, wallet: str, symbol: str, terms: Terms
) -> int | None:
    """The fewest lots whose sale restores the level (V30); None: all there are."""
    if not terms.fee_e12:
        return None
    worth = margin_worth(state, account, wallet)
    cost_e12 = terms.trades_left * state.venue.fees.spot_taker_e12 + terms.fee_e12
    target = levels(state, account, wallet).restored_e12
    sale = partial_sale(worth.assets_e28, worth.debts_e28, target, cost_e12)
    instrument = state.instruments[symbol]
    price_e8 = state.price_e8(instrument.base)
    if sale is None or not price_e8:
        return None
    return ceil_div(sale.sell_e16, price_e8 * instrument.lot_minor)


# -- fees, takeover, cover ---------------------------------------------------------------------


def _pay_fee(state: RiskState, account: Account, wallet: str, asset: str, fee: int) -> None:
    pocket = state.pocket(account, wallet, asset)
    fee = min(fee, max(0, pocket.free))
    fund = state.ledger.house(MARGIN_INSURANCE, asset)
    state.ledger.post(pocket, fund, fee, PostingReason.LIQUIDATION)
    if fee:
        _step(state, account, wallet, "fee", asset, fee)


def _charge_after_debts(
    state: RiskState, account: Account, wallet: str, job: Job, fee_e12: int
) -> None:
    """A full close-out: the fee comes after the debts, from what is left of the quote (V28)."""
    quote = state.venue.quote
    fee = charged(job.sold_e16 // MINOR_IN_E16, fee_e12)
    _pay_fee(state, account, wallet, quote, fee)


def _cover(state: RiskState, account: Account, wallet: str) -> int:
    """Nothing is left and something is owed: the fund pays, and beyond it the pool (M10.7)."""
    covered = 0
    for loan in account.wallet_loans(wallet):
        owed = loan.owed_minor
        fund = state.ledger.house(MARGIN_INSURANCE, loan.asset)
        paid = min(owed, max(0, fund.minor))
        pocket = state.pocket(account, wallet, loan.asset)
        state.ledger.post(fund, pocket, paid, PostingReason.INSURANCE, loan.loan_id)
        repay(state, account, wallet, loan.asset, paid)
        covered += paid
        state.tell(CoverRecord("margin_insurance", loan.asset, paid, fund.minor))
        write_off(state, account, wallet, loan.asset)
    return covered


def write_off(state: RiskState, account: Account, wallet: str, asset: str) -> None:
    """A debt that nobody will pay: the pool bears it, and the audit names it."""
    loan = account.loans.pop((wallet, asset), None)
    if loan is not None:
        state.bad_debt[asset] = state.bad_debt.get(asset, 0) + loan.principal_minor
        state.note_exposure(account)


def _take_over(state: RiskState, account: Account, wallet: str) -> None:
    """All assets and debts move to the venue's liquidation account; the user ends at zero."""
    house = state.accounts[LIQUIDATION]
    state.settle(house)
    for asset, total in wallet_assets(account, wallet):
        source = state.pocket(account, wallet, asset)
        target = state.pocket(house, MARGIN, asset)
        state.ledger.post(source, target, total, PostingReason.LIQUIDATION)
        _step(state, account, wallet, "takeover", asset, total)
    for loan in account.wallet_loans(wallet):
        taken = house.loans.get((MARGIN, loan.asset))
        if taken is None:
            taken = house.loans[MARGIN, loan.asset] = Loan(loan.loan_id, MARGIN, loan.asset)
        taken.principal_minor += loan.principal_minor
        taken.interest_e18 += loan.interest_e18
        del account.loans[wallet, loan.asset]
        _step(state, account, wallet, "takeover", loan.asset, -loan.owed_minor)
    state.note_exposure(account)
    state.note_exposure(house)
    _end(state, account, wallet, "bankrupt", 0)


def unwind_loans(state: RiskState, road: Road) -> None:
    """The house works off the debts it took over; the fund makes up what is missing."""
    house = state.accounts[LIQUIDATION]
    if not house.loans and not wallet_assets(house, MARGIN):
        return
    state.settle(house)
    _repay_in_kind(state, house, MARGIN)
    _trade_down(state, road, house, MARGIN, Terms(UNWIND_BAND_BPS, 0))
    if not house.loans:
        _sell_rest(state, road, house)
    elif not _has_value(state, house):
        _fund_house(state, house)


def _has_value(state: RiskState, house: Account) -> bool:
    """Whether the house still holds a lot of something it could sell."""
    quote = state.venue.quote
    for asset, total in wallet_assets(house, MARGIN):
        if asset == quote:
            return True
        instrument = state.instruments.get(f"{asset}-{quote}")
        if instrument is not None and instrument.whole_lots(total):
            return True
    return False


def _fund_house(state: RiskState, house: Account) -> None:
    """What the house could not sell enough for: the fund gives quote, or the pool bears it."""
    quote = state.venue.quote
    fund = state.ledger.house(MARGIN_INSURANCE, quote)
    for loan in house.wallet_loans(MARGIN):
        price_e8 = state.price_e8(loan.asset) or 0
        need = ceil_div(loan.owed_minor * price_e8 * 105, 100 * 10**8)
        paid = min(need, max(0, fund.minor))
        if not paid:
            write_off(state, house, MARGIN, loan.asset)
            continue
        pocket = state.pocket(house, MARGIN, quote)
        state.ledger.post(fund, pocket, paid, PostingReason.INSURANCE, loan.loan_id)
        state.tell(CoverRecord("margin_insurance", quote, paid, fund.minor))


def _sell_rest(state: RiskState, road: Road, house: Account) -> None:
    """No debt is left: what remains becomes quote and goes to the fund."""
    quote = state.venue.quote
    for asset, _ in wallet_assets(house, MARGIN):
        symbol = f"{asset}-{quote}"
        if asset != quote and symbol in state.instruments:
            trade = (symbol, Side.SELL, Terms(UNWIND_BAND_BPS, 0))
            _forced(state, road, house, MARGIN, trade)
    for asset, total in wallet_assets(house, MARGIN):
        instrument = state.instruments.get(f"{asset}-{quote}")
        if asset == quote or instrument is None or not instrument.whole_lots(total):
            pocket = state.pocket(house, MARGIN, asset)
            fund = state.ledger.house(MARGIN_INSURANCE, asset)
            state.ledger.post(pocket, fund, total, PostingReason.LIQUIDATION)
