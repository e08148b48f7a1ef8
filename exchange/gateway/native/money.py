"""Money: the faucet, transfers, loans and repayments."""

from __future__ import annotations

from exchange.events import BalanceChanged, LoanChanged
from exchange.gateway.calls import Caller
from exchange.gateway.doors import Doors
from exchange.gateway.native.amounts import (
    borrow_command,
    deposit_command,
    repay_command,
    transfer_command,
)
from exchange.gateway.native.asking import Done, account_id_of, account_of, obeyed
from exchange.gateway.native.asks import NothingAsk
from exchange.gateway.native.translate import balance_say
from exchange.views.texts import interest_text, rate_text
from exchange.wire import BalanceSay, FaucetAsk, LoanAsk, LoanSay, RepayAsk, TransferAsk
from matching.instrument import amount_text
from risk.account import Account, Loan


async def faucet(doors: Doors, ask: FaucetAsk, caller: Caller) -> list[BalanceSay]:
    """Fictional money; answers the balance as it stands."""
    await obeyed(doors, deposit_command(ask, account_id_of(caller)))
    return [_balance(doors, account_of(doors, caller), ask.wallet, ask.asset)]


async def transfer(doors: Doors, ask: TransferAsk, caller: Caller) -> list[BalanceSay]:
    """Between two wallets; answers both balances as they stand."""
    await obeyed(doors, transfer_command(ask, account_id_of(caller)))
    account = account_of(doors, caller)
    return [_balance(doors, account, wallet, ask.asset) for wallet in (ask.source, ask.target)]


async def borrow(doors: Doors, ask: LoanAsk, caller: Caller) -> LoanSay:
    """Take a loan."""
    done = await obeyed(doors, borrow_command(ask, account_id_of(caller)))
    return _loan_after(doors, done, account_of(doors, caller), ask.wallet, ask.asset)


async def repay(doors: Doors, ask: RepayAsk, caller: Caller) -> LoanSay:
    """Pay a loan down; answers what is left of it."""
    done = await obeyed(doors, repay_command(ask, account_id_of(caller)))
    return _loan_after(doors, done, account_of(doors, caller), ask.wallet, ask.asset)


async def loans(doors: Doors, ask: NothingAsk, caller: Caller) -> list[LoanSay]:
    """Loans outstanding."""
    account = account_of(doors, caller)
    return [_loan_say(doors, loan) for loan in account.loans.values() if loan.owed_e18]


def _balance(doors: Doors, account: Account, wallet: str, asset: str) -> BalanceSay:
    pocket = account.pockets.get((wallet, asset))
    loan = account.loans.get((wallet, asset))
    event = BalanceChanged(
        seq=0,
        time_ms=0,
        account_id=account.id,
        n=0,
        wallet=wallet,
        asset=asset,
        total_minor=pocket.minor if pocket else 0,
        locked_minor=pocket.locked if pocket else 0,
        borrowed_minor=loan.principal_minor if loan else 0,
        interest_e18=loan.interest_e18 if loan else 0,
    )
    return balance_say(event, doors.board.instruments)


def _loan_after(doors: Doors, done: Done, account: Account, wallet: str, asset: str) -> LoanSay:
    """What a request did to a loan; where it came before, the loan as it stands."""
    changes = done.of(LoanChanged, account_id=account.id, wallet=wallet, asset=asset)
    if changes:
        return _changed_say(doors, changes)
    loan = account.loans.get((wallet, asset)) or Loan(0, wallet, asset)
    return _loan_say(doors, loan)


def _changed_say(doors: Doors, changes: list[LoanChanged]) -> LoanSay:
    last = changes[-1]
    return LoanSay(
        wallet=last.wallet,
        asset=last.asset,
        principal=amount_text(last.principal_minor),
        interest=interest_text(last.interest_e18),
        hourly_rate=_hourly_rate(doors, last.asset),
        loan_id=last.loan_id,
        borrowed=amount_text(sum(change.borrowed_minor for change in changes)),
        repaid_principal=amount_text(sum(change.repaid_principal_minor for change in changes)),
        repaid_interest=amount_text(sum(change.repaid_interest_minor for change in changes)),
    )


def _loan_say(doors: Doors, loan: Loan) -> LoanSay:
    return LoanSay(
        wallet=loan.wallet,
        asset=loan.asset,
        principal=amount_text(loan.principal_minor),
        interest=interest_text(loan.interest_e18),
        hourly_rate=_hourly_rate(doors, loan.asset),
        loan_id=loan.loan_id,
    )


def _hourly_rate(doors: Doors, asset: str) -> str:
    return rate_text(doors.desk.hourly_rate_e12(asset))
