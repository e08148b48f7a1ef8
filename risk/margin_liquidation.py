"""Liquidation of spot margin (M10): sold and bought back on the public book, round by round."""

from __future__ import annotations

from risk.account import ISOLATED, MARGIN, Account, Job, Loan
from risk.borrowing import repay, write_off
from risk.forced_sale import pay_fee, repay_in_kind, restored, tell_step, trade_down
from risk.ledger import LIQUIDATION, MARGIN_INSURANCE, PostingReason
from risk.liquidation import Road
from risk.loan_tiers import levels
from risk.margin_worth import MarginWorth, margin_worth, wallet_assets
from risk.money import E12, at_most, ceil_div
from risk.parameters import SpotParameters
from risk.parts import asset_parts, debt_parts
from risk.records import CoverRecord, EndRecord, LiquidationRecord
from risk.state import RiskState
from risk.tallies import Flow


def margin_breached(state: RiskState, account: Account, wallet: str, worth: MarginWorth) -> bool:
    """Whether a margin wallet is at its liquidation level or below (M4)."""
    bound = levels(state, account, wallet).liquidation_e12
    return at_most(worth.assets_e28, worth.debts_e28, bound)


def start_liquidation(state: RiskState, road: Road, account: Account, wallet: str) -> None:
    """Freeze the wallet, cancel its orders, and begin unless that alone restored it (M10.1)."""
    worth = margin_worth(state, account, wallet)
    state.tell(
        LiquidationRecord(
            account.id,
            wallet,
            "" if wallet == MARGIN else wallet.removeprefix(ISOLATED),
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
    rules = _rules(state, wallet)
    rounds = max(len(each.liquidation_bands_bps) for each in rules)
    repay_in_kind(state, account, wallet)
    worth = margin_worth(state, account, wallet)
    if restored(state, account, wallet, worth):
        _end(state, account, wallet, "restored", 0)
        return
    if job.round >= rounds:
        _take_over(state, account, wallet)
        return
    low_e12 = max(each.takeover_e12 for each in rules)
    low = at_most(worth.assets_e28, worth.debts_e28, low_e12)
    round_ = rounds - 1 if low else job.round  # Too low for more than one, the widest.
    job.round = round_ + 1
    trade_down(state, road, account, wallet, round_)
    if not account.wallet_loans(wallet):
        _charge_after_debts(state, account, wallet, job)
        _end(state, account, wallet, "closed", 0)
    elif not wallet_assets(account, wallet):
        _end(state, account, wallet, "bankrupt", _cover(state, account, wallet))
    elif restored(state, account, wallet, margin_worth(state, account, wallet)):
        _end(state, account, wallet, "restored", 0)


def _rules(state: RiskState, wallet: str) -> tuple[SpotParameters, ...]:
    """Whose rules a liquidation follows: its pair's, or of cross margin those of every pair.

    Each order keeps to its own pair's bands; the pair with the most rounds ends the last.
    """
    if wallet == MARGIN:
        return state.venue.spots
    return (state.spots[wallet.removeprefix(ISOLATED)],)


# -- fees, takeover, cover ---------------------------------------------------------------------


def _charge_after_debts(state: RiskState, account: Account, wallet: str, job: Job) -> None:
    """A full close-out: the fee comes after the debts, from what is left of the quote (V28)."""
    quote = state.venue.quote
    if wallet != MARGIN:
        quote = state.instruments[wallet.removeprefix(ISOLATED)].quote
    price_e8 = state.price_e8(quote)
    if price_e8:
        pay_fee(state, account, wallet, quote, ceil_div(job.fee_e28, E12 * price_e8))


def _cover(state: RiskState, account: Account, wallet: str) -> int:
    """Nothing is left and something is owed: the fund pays the pool (M10.7); what it paid, quote.

    What the fund lacks of another asset than the quote the house owes from now on, and buys with
    the fund's quote; what it lacks of the quote the pool bears.
    """
    covered = 0
    quote = state.venue.quote
    for loan in account.wallet_loans(wallet):
        fund = state.ledger.house(MARGIN_INSURANCE, loan.asset)
        paid = min(loan.owed_minor, max(0, fund.minor))
        if paid:
            pocket = state.pocket(account, wallet, loan.asset)
            state.ledger.post(fund, pocket, paid, PostingReason.INSURANCE, loan.loan_id)
            state.tallies.note(fund, Flow.COVERS, -paid)
            repay(state, account, wallet, loan.asset, paid)
            state.tell(CoverRecord("margin_insurance", loan.asset, paid, fund.minor))
            covered += paid if loan.asset == quote else 0
        if (wallet, loan.asset) not in account.loans:
            continue
        if loan.asset == quote:
            write_off(state, account, wallet, quote)
        else:
            _hand_over(state, account, loan)
    return covered


def _hand_over(state: RiskState, account: Account, loan: Loan) -> None:
    """The venue's liquidation account owes a loan in its owner's place."""
    house = state.accounts[LIQUIDATION]
    state.settle(house)
    taken = house.loans.get((MARGIN, loan.asset))
    if taken is None:
        taken = house.loans[MARGIN, loan.asset] = Loan(loan.loan_id, MARGIN, loan.asset)
    taken.principal_minor += loan.principal_minor
    taken.interest_e18 += loan.interest_e18
    del account.loans[loan.wallet, loan.asset]
    tell_step(state, account, loan.wallet, "takeover", loan.asset, -loan.owed_minor)
    state.note_exposure(account)
    state.note_exposure(house)


def _take_over(state: RiskState, account: Account, wallet: str) -> None:
    """All assets and debts move to the venue's liquidation account; the user ends at zero."""
    house = state.accounts[LIQUIDATION]
    for asset, total in wallet_assets(account, wallet):
        source = state.pocket(account, wallet, asset)
        target = state.pocket(house, MARGIN, asset)
        state.ledger.post(source, target, total, PostingReason.LIQUIDATION)
        tell_step(state, account, wallet, "takeover", asset, total)
    for loan in account.wallet_loans(wallet):
        _hand_over(state, account, loan)
    _end(state, account, wallet, "bankrupt", 0)
