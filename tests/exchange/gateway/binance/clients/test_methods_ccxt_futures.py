"""Tests that the tables of ccxt's futures are whole, and that what does not work does not."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import ccxt
import ccxt.pro
import pytest
import pytest_asyncio

from tests.exchange.gateway.binance.clients import methods_ccxt_futures
from tests.exchange.gateway.binance.clients.ccxt_drivers import soon
from tests.exchange.gateway.binance.clients.ccxt_futures import (
    FUTURES,
    LINEAR,
    Futures,
    by_product,
    funded,
    pro_futures,
)
from tests.exchange.gateway.binance.clients.methods import Table, Verdict
from tests.exchange.gateway.binance.clients.test_methods_ccxt_spot import KINDS, plain
from tests.exchange.gateway.binance.clients.venue import venue

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLES: Final[dict[str, Table]] = {
    "um": methods_ccxt_futures.LINEAR,
    "cm": methods_ccxt_futures.INVERSE,
}
FAILING: Final = [
    pytest.param(futures, name, verdict, id=f"{futures.product}-{name}")
    for futures in FUTURES
    for name, verdict in TABLES[futures.product].items()
    if verdict.what != "works"
]
# What a method that does not work is called with, where that is not the contract alone.
CALLS: Final[dict[str, tuple[Any, ...]]] = {
    "borrow_isolated_margin": ("BTC/USDT", "USDT", 10),
    "create_convert_trade": ("1", "USDT", "BTC", 10),
    "create_market_buy_order_with_cost": (LINEAR.unified, 1_000),
    "create_market_order_with_cost": (LINEAR.unified, "buy", 1_000),
    "create_market_sell_order_with_cost": (LINEAR.unified, 1_000),
    "fetch_all_greeks": (),
    "fetch_convert_currencies": (),
    "fetch_convert_quote": ("USDT", "BTC", 10),
    "fetch_convert_trade": ("1",),
    "fetch_convert_trade_history": (),
    "fetch_deposit_address": ("BTC",),
    "fetch_isolated_borrow_rate": ("BTC/USDT",),
    "fetch_ledger_entry": ("1", "USDT"),
    "fetch_order_trades": ("1", LINEAR.unified),
    "repay_isolated_margin": ("BTC/USDT", "USDT", 10),
    "watch_orders_for_symbols": ([LINEAR.unified],),
    "withdraw": ("BTC", 1, "an-address-somewhere"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Any]]:
    """A client of each product that has loaded its markets."""
    async with contextlib.AsyncExitStack() as stack:
        market = await stack.enter_async_context(venue(tmp_path_factory.mktemp("venue")))
        made: dict[str, Any] = {}
        for futures in FUTURES:
            opened = pro_futures(futures, await funded(market))
            made[futures.product] = await stack.enter_async_context(opened)
            await made[futures.product].load_markets()
        yield made


def called_with(name: str, futures: Futures) -> tuple[Any, ...]:
    """Arguments for a method of the product's class."""
    given = CALLS.get(name, (LINEAR.unified,))
    wanted = {LINEAR.unified: futures.unified}
    return tuple(
        [futures.unified] if isinstance(each, list) else wanted.get(each, each) for each in given
    )


@by_product
async def test_every_method_of_the_class_is_in_its_table(futures: Futures) -> None:
    client, table = getattr(ccxt.pro, futures.kind)(), TABLES[futures.product]
    own = {plain(name) for name, value in client.has.items() if value and name not in KINDS}
    assert {plain(name) for name in table} == own
    for name, verdict in table.items():
        is_absent = verdict.note == methods_ccxt_futures.ABSENT
        assert callable(getattr(client, name, None)) is not is_absent, name


@pytest.mark.parametrize(("futures", "name", "verdict"), FAILING)
async def test_what_does_not_work_fails_as_the_table_says(
    clients: dict[str, Any], futures: Futures, name: str, verdict: Verdict
) -> None:
    if verdict.note == methods_ccxt_futures.ABSENT:
        return  # There is nothing to call.
    method = getattr(clients[futures.product], name)
    with pytest.raises(ccxt.BaseError) as raised:
        await soon(method(*called_with(name, futures)))
    said = str(raised.value).removeprefix(f"{futures.kind} ")
    if verdict.what == "client":
        assert f"{raised.type.__name__}: {said}" == verdict.note
    elif "-5000" in verdict.note:
        address = verdict.note.split("`")[1]
        assert said == f'{{"code":-5000,"msg":"Path {address} is invalid."}}'
    else:
        assert '"code":-1020' in said
