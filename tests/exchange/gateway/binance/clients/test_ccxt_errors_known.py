"""Every refusal of spot, margin and money has an exception that ccxt knows it by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import ccxt
import pytest

from exchange.gateway.binance import errors
from exchange.gateway.binance.accounts import refusals as of_money
from exchange.gateway.binance.errors import Refusal
from exchange.gateway.binance.spot import refusals as of_orders
from tests.exchange.gateway.binance.clients.pointing import point_ccxt

# What ccxt makes of a text, whatever its code;
BY_TEXT: Final[dict[str, type[Exception]]] = {
    "Account has insufficient balance for requested action.": ccxt.InsufficientFunds,
    "Filter failure: LOT_SIZE": ccxt.InvalidOrder,
    "Filter failure: MARKET_LOT_SIZE": ccxt.InvalidOrder,
    "Filter failure: PERCENT_PRICE_BY_SIDE": ccxt.InvalidOrder,
    "Filter failure: PRICE_FILTER": ccxt.InvalidOrder,
    "Market is closed.": ccxt.MarketClosed,
    "Order would immediately match and take.": ccxt.OrderImmediatelyFillable,
    "Stop price would trigger immediately.": ccxt.OrderImmediatelyFillable,
}
# and of a code.
BY_CODE: Final[dict[type[Exception], frozenset[int]]] = {
    ccxt.AuthenticationError: frozenset({-1022, -1125, -2014, -2015}),
    ccxt.BadRequest: frozenset(
        {-1013, -1100, -1101, -1102, -1104, -1105, -1106, -1111, -1115, -1116, -1117, -1120}
        | {-1127, -1128, -1130, -1131, -3006, -3015, -3020, -3042}
    ),
    ccxt.BadResponse: frozenset({-2021, -2022}),
    ccxt.BadSymbol: frozenset({-1121, -3027, -3028}),
    # Of these it knows nothing.
    ccxt.ExchangeError: frozenset({-2038, -5000, -11001}),
    ccxt.InsufficientFunds: frozenset({-3041}),
    ccxt.InvalidNonce: frozenset({-1021}),
    ccxt.InvalidOrder: frozenset({-2010}),
    ccxt.OperationFailed: frozenset({-1000, -1008}),
    ccxt.OperationRejected: frozenset({-3012, -3023, -3045}),
    ccxt.OrderNotFound: frozenset({-2011, -2013}),
    ccxt.RateLimitExceeded: frozenset({-1003, -1015}),  # DDoSProtection where it comes as a 429.
}


# What ccxt raises for texts that nothing here says, or never raises for this exchange.
NEVER: Final = frozenset(
    {ccxt.AccountSuspended, ccxt.DuplicateOrderId, ccxt.OnMaintenance, ccxt.PermissionDenied}
)


def refusals(module: ModuleType) -> Iterator[Refusal]:
    """Every code with its text that a module has, in its constants and its tables."""
    for value in vars(module).values():
        for each in value.values() if isinstance(value, dict) else (value,):
            match each:
                case (int(code), str(text)):
                    yield code, text


ALL: Final = sorted({each for m in (errors, of_orders, of_money) for each in refusals(m)})


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: f"{refusal[0]} {refusal[1][:40]}")
def test_a_refusal_is_an_exception_of_its_kind(refusal: Refusal) -> None:
    code, text = refusal
    client = ccxt.binance()
    point_ccxt(client, "http://127.0.0.1:1", ("linear", "spot"))
    said = {"code": code, "msg": text}
    with pytest.raises(ccxt.BaseError) as raised:
        client.handle_errors(400, "", "", "GET", {}, json.dumps(said), said, {}, {})
    by_code = next(kind for kind, codes in BY_CODE.items() if code in codes)
    assert raised.type is BY_TEXT.get(text, by_code)


def test_the_tables_tell_of_refusals_that_there_are() -> None:
    assert {code for code, _ in ALL} == frozenset().union(*BY_CODE.values())
    assert {text for _, text in ALL} >= BY_TEXT.keys()
    assert not NEVER & {*BY_CODE, *BY_TEXT.values()}
