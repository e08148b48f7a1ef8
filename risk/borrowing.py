# cython: overflowcheck=True
"""Spot margin loans as they are taken, charged, repaid; and transfers between wallets."""

from __future__ import annotations

from matching.reasons import Reason
from matching.types import Order, Status
from risk.account import ISOLATED, MARGIN, PERP, SPOT, Account, Loan
from risk.ledger import POOL, PostingReason
from risk.loan_tiers import levels
from risk.loans import hour_of_interest_e18, split_repayment
from risk.margin_worth import margin_worth, max_borrow, max_transfer_out
from risk.multi_asset import accepts
from risk.pool import inventory_minor
from risk.records import BadDebtRecord, LoanRecord
from risk.state import RiskState


def wallet_holds(state: RiskState, account: Account, wallet: str, asset: str) -> Reason | None:
    """Refuse a wallet there is none of, or an asset that it cannot hold."""
    if asset not in state.assets:
        return Reason.UNKNOWN_ASSET
    if wallet in (SPOT, MARGIN):
        return None
    if wallet == PERP:
        return None if accepts(state, account, asset) else Reason.ASSET_NOT_IN_WALLET
    if wallet in state.coin_contracts:
        return None if asset == state.wallet_asset(wallet) else Reason.ASSET_NOT_IN_WALLET
    if wallet.startswith(ISOLATED):
        instrument = state.instruments.get(wallet.removeprefix(ISOLATED))
        if instrument is None or instrument.kind != "spot":
            return Reason.UNKNOWN_WALLET
        if not state.spots[instrument.symbol].isolated:
            return Reason.MARGIN_NOT_ALLOWED
        in_pair = asset in (instrument.base, instrument.quote)
        return None if in_pair else Reason.ASSET_NOT_IN_WALLET
    return Reason.UNKNOWN_WALLET


def borrow(
    state: RiskState, account: Account, wallet: str, asset: str, minor: int
) -> Loan | Reason:
    """Borrow from the pool; by default the first hour's interest is charged at once (M7)."""
    refused = refuse_loan(state, account, wallet, asset, minor)
    if refused is not None:
        return refused
    return _take(state, account, wallet, asset, minor)


def refuse_loan(
    state: RiskState, account: Account, wallet: str, asset: str, minor: int
) -> Reason | None:
    """Why a loan may not be taken, or None."""
    if wallet == SPOT or wallet.startswith(PERP):
        return Reason.NOT_BORROWABLE
    refused = wallet_holds(state, account, wallet, asset)
    if refused is not None:
        return refused
    if minor <= 0:
        return Reason.AMOUNT_NOT_POSITIVE
    if wallet in account.liquidating:
        return Reason.ACCOUNT_LIQUIDATING
    pool = inventory_minor(state, asset)
    if minor > pool:
        return state.refuse(
            Reason.INSUFFICIENT_INVENTORY, "M2", asset=asset, asked_minor=minor, pool_minor=pool
        )
    owed = sum(loan.principal_minor for loan in account.loans.values() if loan.asset == asset)
    limit = state.assets[asset].borrow_limit_minor
    if owed + minor > limit:
        return state.refuse(
            Reason.BORROW_LIMIT,
            "M5",
            asset=asset,
            asked_minor=minor,
            owed_minor=owed,
            limit_minor=limit,
        )
    most = max_borrow(state, account, wallet, asset)
    if minor > most:
        worth = margin_worth(state, account, wallet)
        return state.refuse(
            Reason.COLLATERAL_TOO_LOW,
            "M5",
            wallet=wallet,
            asset=asset,
            asked_minor=minor,
            most_minor=most,
            collateral_e28=worth.collateral_e28,
            debts_e28=worth.debts_e28,
            initial_e12=levels(state, account, wallet).initial_e12,
            price_e8=state.price_e8(asset) or 0,
        )
    return None


def _take(state: RiskState, account: Account, wallet: str, asset: str, minor: int) -> Loan:
    """Book a loan that was allowed."""
    loan = account.loans.get((wallet, asset))
    if loan is None:
        loan = account.loans[wallet, asset] = Loan(state.next_loan_id, wallet, asset)
        state.next_loan_id += 1
        state.note_exposure(account)
    state.ledger.post(
        state.ledger.house(POOL, asset),
        state.pocket(account, wallet, asset),
        minor,
        PostingReason.BORROW,
        loan.loan_id,
    )
    loan.principal_minor += minor
    _tell(state, account, loan, borrowed=minor)
    if state.venue.first_charge == "borrow":
        rate_e12 = state.rates_e12[asset]
        charge_e18 = hour_of_interest_e18(minor, 0, rate_e12, compound=False)
        state.charge_interest(account, loan, minor, rate_e12, charge_e18, state.time_ms)
    state.touch_wallet(account, wallet)
    return loan


def repay(state: RiskState, account: Account, wallet: str, asset: str, minor: int) -> int:
    """Repay from the wallet's free balance, interest first (M8); what was taken from it.

    Never more than is owed, nor more than is free. Paid interest is rounded up to a unit when it
    is paid off; the excess goes to the rounding account (V26).
    """
    loan = account.loans.get((wallet, asset))
    if loan is None:
        return 0
    pocket = state.pocket(account, wallet, asset)
    budget = min(minor, pocket.free)
    if budget <= 0:
        return 0
    paid = split_repayment(loan.principal_minor, loan.interest_e18, budget)
    ledger = state.ledger
    interest_minor = paid.interest_minor
    ledger.post(
        pocket, ledger.house(POOL, asset), interest_minor, PostingReason.INTEREST, loan.loan_id
    )
    ledger.post(
        pocket,
        ledger.house(POOL, asset),
        paid.principal_minor,
        PostingReason.REPAY,
        loan.loan_id,
    )
    loan.interest_e18 -= paid.interest_e18
    state.interest_due[asset] -= paid.interest_e18
    loan.principal_minor -= paid.principal_minor
    state.interest_paid[asset] = state.interest_paid.get(asset, 0) + interest_minor
    state.collect_excess(asset, paid.excess_e18)
    _tell(state, account, loan, 0, paid.principal_minor, interest_minor)
    if not loan.principal_minor and not loan.interest_e18:
        del account.loans[wallet, asset]
        state.note_exposure(account)
    state.touch_wallet(account, wallet)
    return paid.taken_minor


def repay_unused(
    state: RiskState, account: Account, order: Order, asset: str, unused_minor: int
) -> None:
    """An order that borrowed ended early: repay what of the loan it did not use (M6).

    Its own money is spent first. What better prices saved is unused as well as what was freed. An
    order that lost lots to a prevented self-trade ended early, though the rest of it was filled.
    """
    early = order.status is not Status.FILLED or order.prevented_lots
    if early and order.auto_repay_at_cancel:
        repay(state, account, order.wallet, asset, unused_minor)


def write_off(state: RiskState, account: Account, wallet: str, asset: str) -> None:
    """A debt that nobody will pay: the pool bears it, everybody is told, the audit names it."""
    loan = account.loans.pop((wallet, asset))
    lost = state.bad_debt.get(asset, 0) + loan.principal_minor
    state.bad_debt[asset] = lost
    state.interest_due[asset] -= loan.interest_e18
    state.note_exposure(account)
    state.tell(BadDebtRecord(asset, loan.principal_minor, loan.interest_e18, lost))


def _tell(
    state: RiskState,
    account: Account,
    loan: Loan,
    borrowed: int = 0,
    principal: int = 0,
    interest: int = 0,
) -> None:
    state.tell(
        LoanRecord(
            account.id,
            loan.loan_id,
            loan.wallet,
            loan.asset,
            borrowed,
            principal,
            interest,
            loan.principal_minor,
            loan.interest_e18,
        )
    )


def transfer(
    state: RiskState, account: Account, source: str, target: str, asset: str, minor: int
) -> Reason | None:
    """Move money between two wallets of an account, where margin allows it."""
    if source == target:
        return Reason.SAME_WALLET
    for wallet in (source, target):
        refused = wallet_holds(state, account, wallet, asset)
        if refused is not None:
            return refused
        if wallet in account.liquidating:
            return Reason.ACCOUNT_LIQUIDATING
    if minor <= 0:
        return Reason.AMOUNT_NOT_POSITIVE
    free = account.free(source, asset)
    if minor > free:
        return state.refuse(
            Reason.INSUFFICIENT_BALANCE,
            "I5",
            wallet=source,
            asset=asset,
            asked_minor=minor,
            free_minor=free,
        )
    most = max_transfer_out(state, account, source, asset)
    if minor > most:
        return state.refuse(
            Reason.TRANSFER_WOULD_BREACH_MARGIN,
            "P5" if source.startswith(PERP) else "M5",
            wallet=source,
            asset=asset,
            asked_minor=minor,
            most_minor=most,
        )
    state.ledger.post(
        state.pocket(account, source, asset),
        state.pocket(account, target, asset),
        minor,
        PostingReason.TRANSFER,
    )
    state.touch_wallet(account, source)
    state.touch_wallet(account, target)
    return None
