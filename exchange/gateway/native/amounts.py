"""Amounts of money as asked for on the wire, and the commands that move them."""

from __future__ import annotations

from typing import Final

from exchange.commands import (
    AdjustPositionMargin,
    Borrow,
    ConvertDust,
    Deposit,
    Repay,
    SetIndexPrice,
    Transfer,
)
from exchange.gateway.calls import refusal
from exchange.gateway.native.sides import side_number
from exchange.wire import DustAsk, FaucetAsk, LoanAsk, PositionMarginAsk, RepayAsk, TransferAsk
from matching.instrument import minor
from matching.limits import MINOR_PER_UNIT
from matching.reasons import Reason

# Ten thousand million of an asset: more than any account holds, and well inside 64 bits, which
# is what journals in other languages can read.
AMOUNT_MINOR_MAX: Final = 10_000_000_000 * MINOR_PER_UNIT

assert AMOUNT_MINOR_MAX < 1 << 62


def signed_minor(text: str, field: str) -> int:
    """An amount in minor units, negative or not; a refusal names the field."""
    amount = minor(text, signed=True)
    if isinstance(amount, Reason):
        raise refusal(amount, field=field, given=text)
    if abs(amount) > AMOUNT_MINOR_MAX:
        raise refusal(
            Reason.AMOUNT_TOO_LARGE,
            field=field,
            given=text,
            max=str(AMOUNT_MINOR_MAX // MINOR_PER_UNIT),
        )
    return amount


def positive_minor(text: str, field: str) -> int:
    """An amount above zero in minor units; a refusal names the field."""
    amount = signed_minor(text, field)
    if amount <= 0:
        raise refusal(Reason.AMOUNT_NOT_POSITIVE, field=field, given=text)
    return amount


def deposit_command(ask: FaucetAsk, account_id: int) -> Deposit:
    """The faucet's command."""
    return Deposit(
        account_id=account_id,
        wallet=ask.wallet,
        asset=ask.asset,
        amount_minor=positive_minor(ask.amount, "amount"),
        client_id=ask.client_id,
    )


def dust_command(ask: DustAsk, account_id: int) -> ConvertDust:
    """The command that converts dust."""
    return ConvertDust(
        account_id=account_id, wallet=ask.wallet, assets=ask.assets, client_id=ask.client_id
    )


def transfer_command(ask: TransferAsk, account_id: int) -> Transfer:
    """The command of a transfer between two wallets of one account."""
    return Transfer(
        account_id=account_id,
        source=ask.source,
        target=ask.target,
        asset=ask.asset,
        amount_minor=positive_minor(ask.amount, "amount"),
        client_id=ask.client_id,
    )


def borrow_command(ask: LoanAsk, account_id: int) -> Borrow:
    """The command of a loan."""
    return Borrow(
        account_id=account_id,
        wallet=ask.wallet,
        asset=ask.asset,
        amount_minor=positive_minor(ask.amount, "amount"),
        client_id=ask.client_id,
    )


def repay_command(ask: RepayAsk, account_id: int) -> Repay:
    """The command of a repayment; without an amount it repays all."""
    return Repay(
        account_id=account_id,
        wallet=ask.wallet,
        asset=ask.asset,
        amount_minor=0 if ask.amount is None else positive_minor(ask.amount, "amount"),
        client_id=ask.client_id,
    )


def position_margin_command(ask: PositionMarginAsk, account_id: int) -> AdjustPositionMargin:
    """The command that adds margin to an isolated position, or (negative) takes some out."""
    amount_minor = signed_minor(ask.amount, "amount")
    if not amount_minor:
        raise refusal(
            Reason.FIELD_OUT_OF_RANGE, "the amount must not be zero", field="amount", given="0"
        )
    return AdjustPositionMargin(
        account_id=account_id,
        symbol=ask.symbol,
        amount_minor=amount_minor,
        client_id=ask.client_id,
        position_side=side_number(ask.position_side),
    )


def index_command(base: str, quote: str, price: str) -> SetIndexPrice:
    """The command of an administrator's index price, in 10^-8 of the quote."""
    return SetIndexPrice(base=base, quote=quote, price_e8=positive_minor(price, "price"))
