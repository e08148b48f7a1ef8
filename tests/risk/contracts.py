"""How the tests of sums make a contract of its brackets."""

from __future__ import annotations

from collections.abc import Sequence

from matching.instrument import Instrument
from risk.contract import Contract
from risk.parameters import Bracket, PerpParameters


def contract_of(
    brackets: Sequence[Bracket],
    *,
    inverse: bool = False,
    multiplier: str = "1",
    tick: str = "0.1",
    lot: str = "",
) -> Contract:
    """A contract with a tick of 0.1: lots of 0.0000001 coin, or (inverse) contracts of 1 USD."""
    symbol = "BTC-USD-PERP" if inverse else "BTC-USDT-PERP"
    instrument = Instrument(
        symbol=symbol,
        kind="inverse" if inverse else "linear",
        base="BTC",
        quote="USD" if inverse else "USDT",
        settle="BTC" if inverse else "USDT",
        tick=tick,
        lot=lot or ("1" if inverse else "0.0000001"),
        multiplier=multiplier if inverse else "1",
    )
    return Contract(instrument, PerpParameters(symbol, tuple(brackets), 10**12))
