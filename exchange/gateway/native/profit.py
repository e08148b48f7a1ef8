"""Profit and loss of an account in the venue's quote, split by what caused it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from exchange.storage.rows import PnlRow
from exchange.views.texts import value_text
from exchange.wire import PnlSay
from risk.account import Account
from risk.ledger import PostingReason
from risk.money import MINOR_IN_E18
from risk.parameters import Grant
from risk.perp_worth import unrealised_e16
from risk.state import RiskState

FEES: Final = frozenset({PostingReason.FEE.value})
INTEREST: Final = frozenset({PostingReason.INTEREST.value})
FUNDING: Final = frozenset({PostingReason.FUNDING.value})
LIQUIDATION: Final = frozenset({PostingReason.LIQUIDATION.value, PostingReason.INSURANCE.value})
DEPOSITS: Final = frozenset({PostingReason.DEPOSIT.value})

Prices = Mapping[str, int]  # 10^-8 quote of one of each asset.


def pnl_say(
    risk: RiskState, account: Account, postings: Iterable[PnlRow], given: Iterable[Grant]
) -> PnlSay:
    """The account's profit from the sums of its postings since its epoch began.

    `given` is what it was given besides at that moment. Everything is valued at the present
    index. What fees, interest, funding, liquidations and deposits leave unexplained of the
    equity is the work of prices: trading, and what is held at its present worth.
    """
    rows = list(postings)
    prices = prices_e8(risk)

    def posted_e16(reasons: frozenset[str]) -> int:
        return sum(
            row.change_minor * prices.get(row.asset, 0) for row in rows if row.reason in reasons
        )

    granted_e16 = sum(grant.amount_minor * prices.get(grant.asset, 0) for grant in given)
    deposits = posted_e16(DEPOSITS) + granted_e16
    interest = posted_e16(INTEREST) - accrued_e16(account, prices)
    fees, funding, liquidation = map(posted_e16, (FEES, FUNDING, LIQUIDATION))
    equity = equity_e16(risk, account, prices)
    return PnlSay(
        price=value_text(equity - deposits - fees - interest - funding - liquidation),
        fees=value_text(fees),
        interest=value_text(interest),
        funding=value_text(funding),
        liquidation=value_text(liquidation),
        deposits=value_text(deposits),
        equity=value_text(equity),
    )


def prices_e8(risk: RiskState) -> dict[str, int]:
    """Every asset's index price in the quote; 0 before its first."""
    return {asset: risk.price_e8(asset) or 0 for asset in risk.assets}


def equity_e16(risk: RiskState, account: Account, prices: Prices) -> int:
    """All an account has, less all it owes, with its open positions at their marks."""
    held = sum(pocket.minor * prices[pocket.asset] for pocket in account.pockets.values())
    owed = sum(
        loan.owed_e18 * prices[loan.asset] // MINOR_IN_E18 for loan in account.loans.values()
    )
    unrealised = sum(unrealised_e16(risk, position) for position in account.positions.values())
    return held - owed + unrealised


def accrued_e16(account: Account, prices: Prices) -> int:
    """Interest that is owed and not yet paid."""
    return sum(
        loan.interest_e18 * prices[loan.asset] // MINOR_IN_E18 for loan in account.loans.values()
    )
