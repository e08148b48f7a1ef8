"""What house agents own and choose: their accounts are opened, funded and refilled by commands."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from exchange.commands import AnyCommand, Deposit, OpenAccount, SetLeverage
from exchange.market.sight import Sight
from risk.account import LEVERAGE_DEFAULT, MARGIN, PERP, SPOT, Account
from risk.margin_report import margin_report
from risk.perp_worth import perp_worth

BROKE_BELOW_E2: Final = 40  # An agent with less than 40 % of its money left is refilled.
MINOR_IN_E16: Final = 100_000_000


class Money(NamedTuple):
    """What an agent should have of one asset in one wallet."""

    wallet: str
    asset: str
    minor: int


class Purse(NamedTuple):
    """One account of an agent: how it is named, what it is given, the leverage it chooses."""

    label: str
    money: tuple[Money, ...]
    leverages: tuple[tuple[str, int], ...] = ()  # (perpetual, leverage)


class Agent(Protocol):
    """A house agent; all it remembers lies in the engine, as its orders, balances, positions."""

    def purses(self) -> list[Purse]:
        """Its accounts."""
        ...

    def commands(self, sight: Sight) -> list[AnyCommand]:
        """What it does at this step."""
        ...


def openings(purses: list[Purse], sight: Sight) -> list[AnyCommand]:
    """Open the accounts that are missing."""
    known = sight.engine.risk.labels
    return [OpenAccount(kind="agent", label=p.label) for p in purses if p.label not in known]


def refills(purses: list[Purse], sight: Sight) -> list[AnyCommand]:
    """Fund what is new or broke, and choose the leverages."""
    made: list[AnyCommand] = []
    for purse in purses:
        account = sight.account(purse.label)
        if account is None:
            continue
        for money in purse.money:
            held = _worth_minor(sight, account, money)
            if held * 100 < money.minor * BROKE_BELOW_E2:
                more = money.minor - held
                made.append(
                    Deposit(
                        account_id=account.id,
                        wallet=money.wallet,
                        asset=money.asset,
                        amount_minor=more,
                    )
                )
        for symbol, leverage in purse.leverages:
            setting = account.settings.get(symbol)
            if (setting.leverage if setting else LEVERAGE_DEFAULT) != leverage:
                made.append(SetLeverage(account_id=account.id, symbol=symbol, leverage=leverage))
    return made


def _worth_minor(sight: Sight, account: Account, money: Money) -> int:
    """What an agent has left: its balance, or what a wallet with debts or positions is worth."""
    risk = sight.engine.risk
    if money.wallet == SPOT:
        return account.minor(SPOT, money.asset)
    if money.wallet.startswith(PERP):
        held = account.minor(money.wallet, money.asset)
        if not account.positions:
            return held
        worth = perp_worth(risk, account, money.wallet)
        return min(held, worth.balance_e16 // worth.factor)
    assert money.wallet == MARGIN
    report = margin_report(risk, account, MARGIN)
    return (report.assets_e16 - report.debt_e16) // MINOR_IN_E16
