"""Amounts of money as asked for, as commands."""

from __future__ import annotations

import pytest

from exchange.commands import AdjustPositionMargin, Borrow, Deposit, Repay, SetIndexPrice, Transfer
from exchange.gateway.calls import ApiError
from exchange.gateway.native import amounts
from exchange.wire import FaucetAsk, LoanAsk, PositionMarginAsk, RepayAsk, TransferAsk


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MALFORMED_NUMBER"),
        ("1,5", "MALFORMED_NUMBER"),
        ("--1", "MALFORMED_NUMBER"),
        ("0.000000001", "AMOUNT_TOO_FINE"),
        ("0", "AMOUNT_NOT_POSITIVE"),
        ("-5", "AMOUNT_NOT_POSITIVE"),
        ("10000000000.00000001", "AMOUNT_TOO_LARGE"),
    ],
)
def test_an_amount_that_is_none_is_refused(text: str, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        amounts.positive_minor(text, "amount")
    assert caught.value.code == code
    assert caught.value.details["field"] == "amount"


def test_amounts_are_exact_to_the_eighth_place() -> None:
    assert amounts.positive_minor("0.00000001", "amount") == 1
    assert amounts.positive_minor("10000000000", "amount") == 10**18
    assert amounts.signed_minor("-1.5", "amount") == -150_000_000


def test_each_request_becomes_its_command() -> None:
    assert amounts.deposit_command(FaucetAsk("spot", "USDT", "1.5", "c"), 100) == Deposit(
        account_id=100, wallet="spot", asset="USDT", amount_minor=150_000_000, client_id="c"
    )
    assert amounts.transfer_command(TransferAsk("spot", "perp", "USDT", "1"), 100) == Transfer(
        account_id=100, source="spot", target="perp", asset="USDT", amount_minor=100_000_000
    )
    assert amounts.borrow_command(LoanAsk("margin", "BTC", "2"), 100) == Borrow(
        account_id=100, wallet="margin", asset="BTC", amount_minor=200_000_000
    )
    assert amounts.index_command("BTC", "USDT", "50000") == SetIndexPrice(
        base="BTC", quote="USDT", price_e8=5_000_000_000_000
    )


def test_a_repayment_without_an_amount_repays_all() -> None:
    assert amounts.repay_command(RepayAsk("margin", "BTC"), 100) == Repay(
        account_id=100, wallet="margin", asset="BTC", amount_minor=0
    )
    assert amounts.repay_command(RepayAsk("margin", "BTC", "1"), 100).amount_minor == 10**8
    with pytest.raises(ApiError) as caught:
        amounts.repay_command(RepayAsk("margin", "BTC", "0"), 100)
    assert caught.value.code == "AMOUNT_NOT_POSITIVE"


def test_margin_of_a_position_may_be_taken_out_and_not_be_nothing() -> None:
    taken = amounts.position_margin_command(PositionMarginAsk("BTC-USDT-PERP", "-10"), 100)
    assert taken == AdjustPositionMargin(
        account_id=100, symbol="BTC-USDT-PERP", amount_minor=-1_000_000_000
    )
    with pytest.raises(ApiError) as caught:
        amounts.position_margin_command(PositionMarginAsk("BTC-USDT-PERP", "0"), 100)
    assert caught.value.code == "FIELD_OUT_OF_RANGE"
