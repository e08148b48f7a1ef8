"""Money: the faucet, transfers, loans and repayments."""

from __future__ import annotations

from exchange.events import BalanceChanged, LoanChanged
from exchange.gateway.calls import Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.amounts import (
    borrow_command,
    deposit_command,
    dust_command,
    repay_command,
    transfer_command,
)
from exchange.gateway.native.asking import Done, account_id_of, account_of, obeyed
from exchange.gateway.native.asks import LimitsAsk, NothingAsk
from exchange.gateway.native.notices import loan_say
from exchange.gateway.native.translate import balance_say
from exchange.views.texts import rate_text
from exchange.wire import (
    BalanceSay,
    DustAsk,
    FaucetAsk,
    LimitsSay,
    LoanAsk,
    LoanSay,
    RepayAsk,
    TransferAsk,
)
from matching.instrument import amount_text
from risk.account import Account
from risk.borrowing import wallet_holds
from risk.margin_worth import max_borrow, max_transfer_out
from risk.pool import inventory_minor


async def faucet(doors: Doors, ask: FaucetAsk, caller: Caller) -> list[BalanceSay]:
    """Fictional money; answers the balance as it stands."""
    await obeyed(doors, deposit_command(ask, account_id_of(caller)))
    return [_balance(doors, account_of(doors, caller), ask.wallet, ask.asset)]


async def transfer(doors: Doors, ask: TransferAsk, caller: Caller) -> list[BalanceSay]:
    """Between two wallets; answers both balances as they stand."""
    await obeyed(doors, transfer_command(ask, account_id_of(caller)))
    account = account_of(doors, caller)
    return [_balance(doors, account, wallet, ask.asset) for wallet in (ask.source, ask.target)]


async def convert_dust(doors: Doors, ask: DustAsk, caller: Caller) -> list[BalanceSay]:
    """Dust for quote; answers the spot balances as they stand."""
    await obeyed(doors, dust_command(ask, account_id_of(caller)))
    balances = doors.desk.account(account_of(doors, caller).id).balances
    return [each for each in balances if each.wallet == ask.wallet]


async def borrow(doors: Doors, ask: LoanAsk, caller: Caller) -> LoanSay:
    """Take a loan."""
    done = await obeyed(doors, borrow_command(ask, account_id_of(caller)))
    return _loan_after(doors, done, account_id_of(caller), ask.wallet, ask.asset)


async def repay(doors: Doors, ask: RepayAsk, caller: Caller) -> LoanSay:
    """Pay a loan down; answers what is left of it."""
    done = await obeyed(doors, repay_command(ask, account_id_of(caller)))
    return _loan_after(doors, done, account_id_of(caller), ask.wallet, ask.asset)


async def loans(doors: Doors, ask: NothingAsk, caller: Caller) -> list[LoanSay]:
    """Loans outstanding."""
    return doors.desk.account(account_of(doors, caller).id).loans


async def limits(doors: Doors, ask: LimitsAsk, caller: Caller) -> LimitsSay:
    """The most that may be borrowed, and taken out; what is asked for beyond it is refused."""
    account, risk = account_of(doors, caller), doors.engine.risk
    reason = wallet_holds(risk, account, ask.wallet, ask.asset)
    if reason is not None:
        raise refusal(reason)
    scale = risk.assets[ask.asset].scale
    return LimitsSay(
        ask.wallet,
        ask.asset,
        amount_text(max_borrow(risk, account, ask.wallet, ask.asset), scale),
        amount_text(max_transfer_out(risk, account, ask.wallet, ask.asset), scale),
        amount_text(inventory_minor(risk, ask.asset), scale),
        rate_text(doors.desk.hourly_rate_e12(ask.asset)),
    )


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


def _loan_after(doors: Doors, done: Done, account_id: int, wallet: str, asset: str) -> LoanSay:
    """The loan as it stands, and what the request did to it; nothing where it came before."""
    changes = done.of(LoanChanged, account_id=account_id, wallet=wallet, asset=asset)
    said = _loan(doors, account_id, wallet, asset)
    if changes:
        change = loan_say(changes[-1], doors.desk.hourly_rate_e12(asset))
        # The first hour's interest is charged behind the change, so the loan itself tells it.
        said.loan_id = change.loan_id
        said.borrowed = change.borrowed
        said.repaid_principal = change.repaid_principal
        said.repaid_interest = change.repaid_interest
    return said


def _loan(doors: Doors, account_id: int, wallet: str, asset: str) -> LoanSay:
    for loan in doors.desk.account(account_id).loans:
        if (loan.wallet, loan.asset) == (wallet, asset):
            return loan
    rate_e12 = doors.desk.hourly_rate_e12(asset)
    return LoanSay(wallet, asset, "0", "0", rate_text(rate_e12))
