"""Margin calls on futures: their owner is told once each time positions come near their end.

The engine knows of perpetuals only where they are liquidated (P11), and calls nobody before. Who
listens is told by what their margin is at the present marks; it changes nothing.
"""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.binance.futures import order_shapes as shapes
from exchange.gateway.binance.symbols import name_of, product_of
from matching.instrument import amount_text, fixed_text
from matching.limits import SCALE
from risk.account import Account, position_wallet, side_of
from risk.money import E12, ceil_div
from risk.scopes import is_cross, perp_state, scope_legs, scope_of
from risk.state import RiskState

Payload = dict[str, Any]

CALL_PERCENT: Final = 80  # Of the margin balance, where so much is needed for maintenance.


class MarginCalls:
    """Those of a product's positions whose owner was called, until they have recovered."""

    def __init__(self) -> None:
        self._called: set[str] = set()

    def news(self, risk: RiskState, account: Account, product: str, time_ms: int) -> list[Payload]:
        """A call for each scope that came near since the last time."""
        near = [
            scope
            for scope in _scopes(risk, account, product)
            if scope not in account.liquidating and is_near(risk, account, scope)
        ]
        fresh = [scope for scope in near if scope not in self._called]
        self._called = set(near)
        return [margin_call(risk, account, scope, time_ms) for scope in fresh]


def _scopes(risk: RiskState, account: Account, product: str) -> list[str]:
    """Where positions of the product stand: cross wallets, and margins of isolated ones."""
    legs = sorted(
        leg
        for leg, held in account.positions.items()
        if product_of(risk.instruments[held.symbol]) == product
    )
    return list(dict.fromkeys(scope_of(risk, account, leg) for leg in legs))


def is_near(risk: RiskState, account: Account, scope: str) -> bool:
    """Whether maintenance takes up so much of the margin balance that the owner is called."""
    balance_e16, maintenance_e28 = perp_state(risk, account, scope)
    return maintenance_e28 * 100 >= CALL_PERCENT * balance_e16 * E12


def margin_call(risk: RiskState, account: Account, scope: str, time_ms: int) -> Payload:
    """The positions of a scope, at their marks."""
    said: Payload = {"e": "MARGIN_CALL", "E": time_ms}
    if is_cross(scope):
        asset = scope.partition(":")[2] or risk.venue.quote
        said["cw"] = fixed_text(account.minor(scope, asset), SCALE)
    return said | {"p": [_position(risk, account, leg) for leg in scope_legs(risk, account, scope)]}


def _position(risk: RiskState, account: Account, leg: str) -> Payload:
    held = account.positions[leg]
    contract, mark_e8 = risk.contracts[held.symbol], risk.mark_e8(held.symbol)
    assert mark_e8 is not None, "what is held was traded, and nothing trades without a mark"
    isolated = account.is_isolated(held.symbol)
    profit = contract.unrealised_e16(held.lots, held.cost_minor, mark_e8)
    maintenance = ceil_div(contract.maintenance_e28(held.lots, mark_e8), E12)
    margin = account.minor(position_wallet(leg), contract.settle)
    return {
        "s": name_of(contract.instrument),
        "ps": shapes.position_side_word(side_of(leg)),
        "pa": contract.instrument.qty_text(held.lots),
        "mt": "ISOLATED" if isolated else "CROSSED",
        "iw": fixed_text(margin, SCALE) if isolated else "0",
        "mp": amount_text(mark_e8),
        "up": fixed_text(contract.floor_minor(profit, mark_e8), SCALE),
        "mm": fixed_text(contract.ceil_minor(maintenance, mark_e8), SCALE),
    }
