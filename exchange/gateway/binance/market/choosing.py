"""Which instruments a question is about: one, some or all; and the answer's shape for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from exchange.gateway.binance.calls import Call, Weight
from exchange.gateway.binance.errors import BAD_COMBINATION, MANDATORY, refused
from exchange.gateway.binance.params import Params
from matching.instrument import Instrument

Say = Callable[[Call, Instrument], dict[str, Any]]
SYMBOLS_MAX: Final = 100  # Of one question that names several.


class Chosen(NamedTuple):
    """Instruments, and whether the answer is an object, as it is for one that is named."""

    instruments: list[Instrument]
    single: bool


def chosen(call: Call, *, named: bool = False) -> Chosen:
    """What `symbol` or `symbols` (spot), or `symbol` or `pair` (COIN-M) name; all without.

    -1128 where both are sent, -1121 for what is not there; -1102 where it must be `named`.
    COIN-M answers a list also for one.
    """
    params, symbols = call.params, call.dialect.symbols
    other = {"spot": "symbols", "cm": "pair"}.get(call.product, "")
    if params.has("symbol"):
        if other and params.has(other):
            raise refused(BAD_COMBINATION)
        return Chosen([call.instrument()], call.product != "cm")
    if other == "pair" and params.has("pair"):
        return Chosen([symbols.of_pair(call.product, params.get("pair"))], single=False)
    if other == "symbols" and params.has("symbols"):
        names = params.array("symbols")
        if not names or len(names) > SYMBOLS_MAX or not all(isinstance(n, str) for n in names):
            raise refused(MANDATORY, "symbols")
        return Chosen([symbols.of(call.product, n) for n in dict.fromkeys(names)], single=False)
    if named:
        raise refused(MANDATORY, "symbol")
    return Chosen(symbols.all(call.product), single=False)


def said_of(call: Call, found: Chosen, say: Say) -> Any:
    """One object, or a list of them."""
    if found.single:
        return say(call, found.instruments[0])
    return [say(call, instrument) for instrument in found.instruments]


def weight_of(one: int, many: int) -> Weight:
    """A weight for a symbol that is named, and one for everything else."""

    def weigh(params: Params) -> int:
        return one if params.has("symbol") else many

    return weigh
