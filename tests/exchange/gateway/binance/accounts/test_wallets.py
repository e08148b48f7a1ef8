"""Which wallet a request means."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.gateway.binance.accounts.wallets import kind_of, word_of, words_of
from exchange.gateway.binance.errors import BinanceError
from tests.exchange.gateway.binance.accounts.money import moved, refused_code
from tests.exchange.gateway.binance.binance_rig import bot_of
from tests.exchange.gateway.rig import running


@pytest.mark.parametrize(
    ("kind", "source", "target"),
    [
        ("MAIN_MARGIN", "spot", "margin"),
        ("MARGIN_UMFUTURE", "margin", "perp"),
        ("UMFUTURE_MAIN", "perp", "spot"),
        ("CMFUTURE_MAIN", "perp:BTC", "spot"),
        ("MAIN_ISOLATED_MARGIN", "spot", "isolated:BTC-USDT"),
        ("ISOLATED_MARGIN_MAIN", "isolated:BTC-USDT", "spot"),
        ("ISOLATEDMARGIN_MARGIN", "isolated:BTC-USDT", "margin"),
        ("ISOLATEDMARGIN_ISOLATEDMARGIN", "isolated:BTC-USDT", "isolated:ETH-USDT"),
    ],
)
def test_a_type_names_two_wallets_and_they_name_it(kind: str, source: str, target: str) -> None:
    assert kind_of(source, target) == kind
    assert words_of(kind) == (word_of(source), word_of(target))


@pytest.mark.parametrize("kind", ["", "MAIN", "MAIN_", "MAIN_MAIN", "MAIN_OPTION", "X_MARGIN"])
def test_another_type_is_refused(kind: str) -> None:
    with pytest.raises(BinanceError) as caught:
        words_of(kind)
    assert caught.value.code == -1130


async def test_a_pairs_wallet_exists_once_something_came_into_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        bot = await bot_of(rig)
        out = {"type": "ISOLATED_MARGIN_MAIN", "fromSymbol": "BTCUSDT"}
        money = {"asset": "USDT", "amount": "1"}
        target = "/sapi/v1/asset/transfer"
        assert await refused_code(bot, "POST", target, **out, **money) == -11001
        await moved(bot, "MAIN_ISOLATED_MARGIN", "1", toSymbol="BTCUSDT")
        await moved(bot, "ISOLATED_MARGIN_MAIN", "1", fromSymbol="BTCUSDT")
