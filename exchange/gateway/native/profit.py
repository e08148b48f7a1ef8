"""Profit and loss of an account in the venue's quote, split by what caused it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from exchange.storage.rows import PnlRow
from exchange.views.texts import value_text
from exchange.wire import ContractPnlSay, PnlSay
from matching.instrument import amount_text
from risk.account import PERP, Account
from risk.ledger import PostingReason
from risk.money import MINOR_IN_E18
from risk.parameters import Grant
from risk.perp_worth import unrealised_e16
from risk.position import Position
from risk.state import RiskState

FEES: Final = frozenset({PostingReason.FEE.value})
INTEREST: Final = frozenset({PostingReason.INTEREST.value})
FUNDING: Final = frozenset({PostingReason.FUNDING.value})
LIQUIDATION: Final = frozenset({PostingReason.LIQUIDATION.value, PostingReason.INSURANCE.value})
DEPOSITS: Final = frozenset({PostingReason.DEPOSIT.value})
TRADES: Final = frozenset({PostingReason.TRADE.value, PostingReason.ADL.value})
OF_PROFIT: Final = TRADES | FEES | INTEREST | FUNDING | LIQUIDATION

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
        perpetuals=contract_pnl(risk, account, rows),
    )


def contract_pnl(risk: RiskState, account: Account, rows: Iterable[PnlRow]) -> list[ContractPnlSay]:
    """What was won and lost on perpetuals, by the asset it settled in.

    What came in, and what moved between the account's own wallets, is no profit.
    """
    posted: dict[str, Counter[str]] = {}
    for row in rows:
        if row.wallet.startswith(PERP) and row.reason in OF_PROFIT:
            posted.setdefault(row.asset, Counter())[row.reason] += row.change_minor
    unrealised = Counter[str]()
    for held in account.positions.values():
        contract = risk.contracts[held.symbol]
        mark_e8 = risk.mark_e8(held.symbol)
        assert mark_e8 is not None, "what is held was traded, and nothing trades without a mark"
        profit_e16 = contract.unrealised_e16(held.lots, held.cost_minor, mark_e8)
        unrealised[contract.settle] += contract.floor_minor(profit_e16, mark_e8)

    def told(asset: str) -> ContractPnlSay:
        def total(reasons: frozenset[str]) -> str:
            return amount_text(sum(posted.get(asset, Counter())[each] for each in reasons))

        return ContractPnlSay(
            asset=asset,
            realised=total(TRADES),
            unrealised=amount_text(unrealised[asset]),
            fees=total(FEES),
            interest=total(INTEREST),
            funding=total(FUNDING),
            liquidation=total(LIQUIDATION),
        )

    return [told(asset) for asset in sorted(posted.keys() | unrealised.keys())]


def prices_e8(risk: RiskState) -> dict[str, int]:
    """Every asset's index price in the quote; 0 before its first."""
    return {asset: risk.price_e8(asset) or 0 for asset in risk.assets}


def equity_e16(risk: RiskState, account: Account, prices: Prices) -> int:
    """All an account has, less all it owes, with its open positions at their marks."""
    held = sum(pocket.minor * prices[pocket.asset] for pocket in account.pockets.values())
    owed = sum(
        loan.owed_e18 * prices[loan.asset] // MINOR_IN_E18 for loan in account.loans.values()
    )
    unrealised = sum(
        _open_profit_e16(risk, position, prices) for position in account.positions.values()
    )
    return held - owed + unrealised


def _open_profit_e16(risk: RiskState, held: Position, prices: Prices) -> int:
    """The profit of a position; coins that it won are worth the index, as those in a wallet."""
    contract = risk.contracts[held.symbol]
    profit_e16 = unrealised_e16(risk, held)
    if not contract.inverse:
        return profit_e16
    mark_e8 = risk.mark_e8(held.symbol)
    assert mark_e8 is not None, "what is held was traded, and nothing trades without a mark"
    return profit_e16 * prices[contract.settle] // mark_e8


def accrued_e16(account: Account, prices: Prices) -> int:
    """Interest that is owed and not yet paid."""
    return sum(
        loan.interest_e18 * prices[loan.asset] // MINOR_IN_E18 for loan in account.loans.values()
    )
