"""What the contracts of one settle asset have, need and could give: figures of a futures wallet."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from exchange.gateway.binance.calls import Call
from matching.instrument import amount_text, fixed_text
from risk.account import PERP, Account, position_wallet
from risk.contract import Contract
from risk.perp_report import collateral_report, perp_report, position_report
from risk.state import RiskState

PLACES: Final = 8


class Figures(NamedTuple):
    """One asset of a futures account, in minor units of it."""

    asset: str
    wallet: int  # With the margin of isolated positions;
    cross_wallet: int  # and without.
    unrealised: int
    cross_unrealised: int
    maintenance: int
    position_initial: int
    order_initial: int
    available: int
    withdrawable: int
    margin_balance: int

    @property
    def initial(self) -> int:
        """What positions and orders take up."""
        return self.position_initial + self.order_initial


def contracts_of(call: Call) -> list[Contract]:
    """The contracts of the product, in the venue's order."""
    risk = call.doors.engine.risk
    return [risk.contracts[each.symbol] for each in call.dialect.symbols.all(call.product)]


def figures(call: Call) -> list[Figures]:
    """The settle assets of the product; in multi-asset mode the other collateral behind them."""
    risk, account = call.doors.engine.risk, call.account
    found = []
    for asset in dict.fromkeys(contract.settle for contract in contracts_of(call)):
        own = [each for each in contracts_of(call) if each.settle == asset]
        found.append(_figures(risk, account, own))
    if call.product == "um":
        for each in collateral_report(risk, account, PERP):
            if each.asset != risk.venue.quote:
                found.append(_collateral(each.asset, each.minor, each.withdrawable_minor))
    return found


def _figures(risk: RiskState, account: Account, contracts: list[Contract]) -> Figures:
    """One settle asset: its cross wallet, and the isolated positions of its contracts."""
    first = contracts[0]
    cross = account.minor(first.cross_wallet, first.settle)
    mark_e8 = risk.mark_e8(first.symbol)
    if mark_e8 is None:  # Nothing can have been traded yet.
        return Figures(first.settle, cross, cross, 0, 0, 0, 0, 0, cross, cross, cross)
    isolated = isolated_unrealised = isolated_initial = maintenance = cross_unrealised = 0
    for contract in contracts:
        for leg in account.legs(contract.symbol):
            report = position_report(risk, account, leg)
            profit = contract.floor_minor(report.unrealised_e16, report.mark_e8)
            if not account.is_isolated(contract.symbol):
                cross_unrealised += profit
                continue
            isolated += account.minor(position_wallet(leg), contract.settle)
            isolated_unrealised += profit
            isolated_initial += contract.ceil_minor(report.initial_e16, report.mark_e8)
            maintenance += contract.ceil_minor(report.maintenance_e16, report.mark_e8)
    report_of_wallet = perp_report(risk, account, first.settle)
    return Figures(
        asset=first.settle,
        wallet=cross + isolated,
        cross_wallet=cross,
        unrealised=cross_unrealised + isolated_unrealised,
        cross_unrealised=cross_unrealised,
        maintenance=maintenance + first.ceil_minor(report_of_wallet.maintenance_e16, mark_e8),
        position_initial=isolated_initial + first.ceil_minor(report_of_wallet.initial_e16, mark_e8),
        order_initial=first.ceil_minor(report_of_wallet.order_margin_e16, mark_e8),
        available=report_of_wallet.available_minor,
        withdrawable=report_of_wallet.withdrawable_minor,
        margin_balance=cross + isolated + cross_unrealised + isolated_unrealised,
    )


def _collateral(asset: str, minor: int, withdrawable: int) -> Figures:
    """Collateral of another asset: it is there, and no contract is settled in it."""
    return Figures(asset, minor, minor, 0, 0, 0, 0, 0, withdrawable, withdrawable, minor)


def amount(minor: int) -> str:
    """Minor units with all their places, as Binance tells money."""
    return fixed_text(minor, PLACES)


def number(value: int, places: int = PLACES) -> msgspec.Raw:
    """A whole number of 10^-places as a JSON number, where Binance tells no text."""
    return msgspec.Raw(amount_text(value, places).encode())
