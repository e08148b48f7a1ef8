"""What one user data stream is of: spot, cross margin, one isolated pair, USD-M or COIN-M."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exchange.gateway.binance.symbols import Product, product_of
from matching.instrument import Instrument
from risk.account import MARGIN, PERP, SPOT
from risk.position import symbol_of

# A scope is the name of its wallet on spot and margin, and the product of contracts.
UM: Final = "um"
CM: Final = "cm"
CONTRACTS: Final = frozenset({UM, CM})

# The stream that each API opens where nothing more is said.
SCOPES: Final[dict[str, str]] = {"api": SPOT, "sapi": MARGIN, "fapi": UM, "dapi": CM}


def product_of_scope(scope: str) -> Product:
    """Whose sockets tell of a scope: those of spot serve margin too."""
    if scope == UM:
        return "um"
    return "cm" if scope == CM else "spot"


def scope_of_wallet(wallet: str, instruments: Mapping[str, Instrument]) -> str:
    """The scope money in a wallet belongs to."""
    if wallet == PERP:
        return UM
    if wallet.startswith(f"{PERP}:"):
        return CM
    if wallet.startswith(f"{PERP}/"):
        return product_of(instruments[symbol_of(wallet.removeprefix(f"{PERP}/"))])
    return wallet


def scope_of_order(wallet: str, symbol: str, instruments: Mapping[str, Instrument]) -> str:
    """The scope of an order or a fill: every contract's order names the same wallet."""
    return product_of(instruments[symbol]) if wallet == PERP else wallet
