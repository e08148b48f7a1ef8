"""Starting an account over: everything is handed back, everything is given anew (DESIGN 3)."""

from __future__ import annotations

from matching.reasons import Reason
from risk.account import PERP, Account
from risk.adl import break_off
from risk.borrowing import repay
from risk.conversion import pay_debt
from risk.insurance import cover
from risk.ledger import LIQUIDATION, WORLD, PostingReason
from risk.liquidation import Road, take_over
from risk.records import AccountRecord
from risk.scopes import is_cross, scope_leg
from risk.settle_contract import release_margin
from risk.state import RiskState


def reset_account(state: RiskState, road: Road, account: Account) -> None:
    """Cancel orders, hand positions over at the mark, clear debts, fund afresh, next epoch.

    Positions go to the liquidation account; the world lends what a debt still lacks.
    """
    road.cancel_everything(account, Reason.ACCOUNT_RESET)
    job = state.deleveraging
    if job is not None and job.account_id == account.id:
        break_off(state, job)
    for leg, held in sorted(account.positions.items()):
        mark_e8 = state.mark_e8(held.symbol)
        assert mark_e8 is not None
        ticks = max(1, mark_e8 // state.instruments[held.symbol].tick_e8)
        take_over(state, account, state.accounts[LIQUIDATION], leg, held.lots, ticks)
    for wallet in sorted({wallet for wallet, _ in account.pockets if wallet.startswith(PERP)}):
        if not is_cross(wallet):  # Its position may be gone, and what it owes waits for the fund.
            release_margin(state, account, scope_leg(wallet))
    for wallet, asset in sorted(account.loans):
        loan = account.loans[wallet, asset]
        missing = max(0, loan.owed_minor - account.free(wallet, asset))
        state.deposit(account, wallet, asset, missing, PostingReason.RESET)
        repay(state, account, wallet, asset, loan.owed_minor)
    pay_debt(state, account, PERP, "reset")
    funds = {contract.cross_wallet: contract for contract in state.contracts.values()}
    for (wallet, asset), pocket in sorted(account.pockets.items()):
        if pocket.minor < 0 and wallet in funds and asset == funds[wallet].settle:
            cover(state, funds[wallet], pocket)
        state.ledger.post(
            pocket, state.ledger.house(WORLD, asset), pocket.minor, PostingReason.RESET
        )
    account.settings.clear()
    account.hedge = False
    account.multi_asset = False
    state.note_exposure(account)
    account.called.clear()
    account.call_told.clear()
    account.liquidating.clear()
    for scopes in (state.jobs, state.jobs_later, state.waiting):
        for scope in [scope for scope in scopes if scope[0] == account.id]:
            del scopes[scope]
    account.margin_leverage = 3
    account.fee_discount = False
    account.epoch += 1
    state.tell(AccountRecord(account.id, account.kind, account.label, account.epoch))
    state.grant(account, PostingReason.RESET)
