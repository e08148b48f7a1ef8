"""Borrowing and repaying on spot margin: what is done, what may be done, what was done."""

from __future__ import annotations

from typing import Any, Final

from exchange.commands import Borrow, Repay
from exchange.gateway.binance.accounts.amounts import amount_of, asset_named, asset_of, eight
from exchange.gateway.binance.accounts.endpoints import paying, reading
from exchange.gateway.binance.accounts.pages import page, span
from exchange.gateway.binance.accounts.refusals import BAD_ASSET, REPAY_TOO_LARGE
from exchange.gateway.binance.accounts.wallets import (
    chosen_wallet,
    margin_wallet,
    need,
    symbol_in,
)
from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import refused
from exchange.storage.rows import LoanRow
from risk.borrowing import wallet_holds
from risk.margin_worth import max_borrow, max_transfer_out

KINDS: Final = ("BORROW", "REPAY")


async def borrow_repay(call: Call) -> dict[str, int]:
    """Borrow or repay, by `type`, in cross margin or (`isIsolated`) on `symbol`."""
    call.params.need("type")
    kind = call.params.choice("type", KINDS)
    return await (_borrow(call) if kind == "BORROW" else _repay(call))


async def _borrow(call: Call) -> dict[str, int]:
    """Take a loan; else -3006, -3012, -3023, -3027, -3045 or -11001."""
    account, wallet = call.account, chosen_wallet(call)
    need(account, wallet)
    wish = Borrow(
        account_id=account.id, wallet=wallet, asset=asset_of(call), amount_minor=amount_of(call)
    )
    return {"tranId": (await call.submit(wish)).answer.seq}


async def _repay(call: Call) -> dict[str, int]:
    """Pay a loan down; -3015 for more than is owed, its interest rounded up to the last place."""
    account, wallet = call.account, chosen_wallet(call)
    need(account, wallet)
    asset, amount = asset_of(call), amount_of(call)
    loan = account.loans.get((wallet, asset))
    if loan is None or amount > loan.owed_minor:
        raise refused(REPAY_TOO_LARGE)
    wish = Repay(account_id=account.id, wallet=wallet, asset=asset, amount_minor=amount)
    return {"tranId": (await call.submit(wish)).answer.seq}


async def max_borrowable(call: Call) -> dict[str, str]:
    """The largest loan that would be given now, and what the account may owe at all."""
    wallet, asset = _place(call)
    risk = call.doors.engine.risk
    return {
        "amount": eight(max_borrow(risk, call.account, wallet, asset)),
        "borrowLimit": eight(risk.assets[asset].borrow_limit_minor),
    }


async def max_transferable(call: Call) -> dict[str, str]:
    """The most that may be taken out now."""
    wallet, asset = _place(call)
    return {"amount": eight(max_transfer_out(call.doors.engine.risk, call.account, wallet, asset))}


def _place(call: Call) -> tuple[str, str]:
    """The margin wallet and the asset asked about; -3027 where the wallet cannot hold it."""
    wallet, asset = margin_wallet(call), asset_of(call)
    if wallet_holds(call.doors.engine.risk, call.account, wallet, asset) is not None:
        raise refused(BAD_ASSET)
    return wallet, asset


async def history(call: Call) -> dict[str, Any]:
    """Loans taken or repaid, by `type`, those of orders with side effects too."""
    call.params.need("type")
    return await _page(call, is_borrow=call.params.choice("type", KINDS) == "BORROW")


async def loans(call: Call) -> dict[str, Any]:
    """Loans taken."""
    return await _page(call, is_borrow=True)


async def repayments(call: Call) -> dict[str, Any]:
    """Loans repaid."""
    return await _page(call, is_borrow=False)


async def _page(call: Call, *, is_borrow: bool) -> dict[str, Any]:
    wallet, asset = margin_wallet(call), asset_named(call)
    rows = await call.doors.history.loans(
        call.account.id, wallet=wallet, asset=asset, part=span(call)
    )
    wanted = call.params.integer("txId")
    return page(
        call,
        [
            _row(row, symbol_in(call, wallet))
            for row in rows
            if (row.borrowed_minor > 0) is is_borrow and wanted in (None, row.seq)
        ],
    )


def _row(row: LoanRow, symbol: str) -> dict[str, Any]:
    """A change of a loan, called by the number of the command that made it."""
    principal = row.borrowed_minor or row.repaid_principal_minor
    said = {
        "txId": row.seq,
        "asset": row.asset,
        "principal": eight(principal),
        "interest": eight(row.repaid_interest_minor),
        "amount": eight(principal + row.repaid_interest_minor),
        "status": "CONFIRMED",
        "timestamp": row.time_ms,
    }
    return {**said, "isolatedSymbol": symbol} if symbol else said


ROUTES = (
    paying("margin/borrow-repay", borrow_repay, 1_500),
    paying("margin/loan", _borrow, 3_000),
    paying("margin/repay", _repay, 3_000),
    reading("margin/borrow-repay", history, 10),
    reading("margin/loan", loans, 10),
    reading("margin/repay", repayments, 10),
    reading("margin/maxBorrowable", max_borrowable, 50),
    reading("margin/maxTransferable", max_transferable, 50),
)
