"""Binance's codes for what the engine refuses where money is moved."""

from __future__ import annotations

import pytest

from exchange.gateway.binance.accounts.refusals import REFUSALS
from exchange.gateway.binance.errors import translated
from exchange.gateway.calls import refusal
from matching.reasons import Reason


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason.INSUFFICIENT_BALANCE, -3041),
        (Reason.TRANSFER_WOULD_BREACH_MARGIN, -3020),
        (Reason.COLLATERAL_TOO_LOW, -3006),
        (Reason.BORROW_LIMIT, -3006),
        (Reason.INSUFFICIENT_INVENTORY, -3045),
        (Reason.NOTHING_OWED, -3015),
        (Reason.UNKNOWN_ASSET, -3027),
        (Reason.ACCOUNT_LIQUIDATING, -3023),
    ],
)
def test_a_refusal_has_the_code_clients_know(reason: Reason, code: int) -> None:
    assert translated(refusal(reason), REFUSALS).code == code


def test_no_text_has_a_blank_left_to_fill() -> None:
    assert not any("{" in text for _, text in REFUSALS.values())
