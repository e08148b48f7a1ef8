"""`serve` and `demo`: what is chosen, what is kept, what is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from exchange.cli import serve
from exchange.cli.client import find_identity
from exchange.cli.commands import main, parser
from exchange.cli.output import UsageError
from exchange.config import Config
from exchange.gateway.doors import Opened
from tests.exchange.gateway.rig import Rig, Trader, running


def config(*words: str) -> Config:
    return serve.config_of(parser().parse_args(["serve", *words]))


def test_flags_win_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "papertape.toml"
    file.write_text('seed = 5\n[server]\nport = 9000\n[market]\nprices = "fixed"\n')
    chosen = config("--config", str(file), "--port", "9001")
    assert (chosen.seed, chosen.server.port, chosen.market.prices) == (5, 9001, "fixed")
    assert config().server.port == 8080


@pytest.mark.parametrize(
    ("words", "section", "name", "value"),
    [
        (("--host", "0.0.0.0"), "server", "host", "0.0.0.0"),
        (("--fast-port", "0"), "server", "fast_port", 0),
        (("--spot-port", "0"), "binance", "spot_port", 0),
        (("--um-port", "8083"), "binance", "um_port", 8083),
        (("--cm-port", "8084"), "binance", "cm_port", 8084),
        (("--data", "x"), "storage", "data", "x"),
        (("--ephemeral",), "storage", "ephemeral", True),
        (("--agents", "off"), "market", "agents", False),
        (("--agents", "on"), "market", "agents", True),
        (("--require-admin",), "server", "require_admin", True),
        (("--admin-key", "@f"), "server", "admin_key", "@f"),
        (("--redis", "redis://h"), "server", "redis", "redis://h"),
        (("--tape", "t.csv"), "market", "prices", "tape"),
        (("--paranoid",), "audit", "paranoid", True),
    ],
)
def test_every_flag_reaches_its_setting(
    words: tuple[str, ...], section: str, name: str, value: object
) -> None:
    assert getattr(getattr(config(*words), section), name) == value


def test_a_speed_is_a_number_or_max() -> None:
    assert config("--speed", "60").speed == 60.0
    assert config("--speed", "max").speed == "max"
    with pytest.raises(SystemExit):
        config("--speed", "fast")


@pytest.mark.parametrize(
    "words", [("--config", "no-such.toml"), ("--prices", "tape"), ("--speed", "-1")]
)
def test_a_choice_that_cannot_be_is_wrong_use(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        config(*words)


def test_where_to_keep_and_keeping_nothing_exclude_each_other() -> None:
    with pytest.raises(SystemExit):
        config("--data", "x", "--ephemeral")


@pytest_asyncio.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    async with running(tmp_path) as rig:
        yield Opened(doors=rig.doors, url=rig.url, fast_url="http://127.0.0.1:1", data=tmp_path)


async def test_the_demo_account_is_made_once_and_kept(opened: Opened) -> None:
    first = await serve.demo_key(opened)
    assert await serve.demo_key(opened) == first
    account = opened.doors.engine.risk.accounts[first.account_id]
    assert account.label == "demo"
    # What every account is given, and collateral to borrow against.
    assert account.minor("spot", "USDT") == 100_000 * 10**8
    assert account.minor("perp", "USDT") == 100_000 * 10**8
    assert account.minor("margin", "USDT") == 50_000 * 10**8


async def test_a_key_of_an_account_that_is_gone_is_not_used(opened: Opened) -> None:
    # The journal was removed and the keys were not: account 5000 is not of this venue.
    opened.doors.keys.store_demo_key(opened.doors.keys.create(5_000))
    assert (await serve.demo_key(opened)).account_id != 5_000


async def test_the_demo_says_how_to_trade_and_leaves_its_key(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    await serve.welcome(opened, as_json=False)
    out = capsys.readouterr().out
    assert "PAPER" in out
    for told in (opened.url, "papertape buy BTC-USDT-PERP 0.1 --leverage 10", "curl", "websocat"):
        assert told in out
    identity = find_identity(str(opened.data), environment={})
    assert identity.url == opened.url
    assert identity.key in out
    assert identity.secret in out
    rig = Rig.__new__(Rig)
    rig.doors = opened.doors
    assert Trader(rig, 0, identity.key, identity.secret).headers("GET", "/")


async def test_the_lines_for_ccxt_run_as_printed(opened: Opened) -> None:
    key = await serve.demo_key(opened)
    names: dict[str, Any] = {}
    exec("\n".join(serve.ccxt_lines(opened.url, key)), names)
    asked = await asyncio.to_thread(names["bot"].fetch_time)
    assert abs(asked - opened.doors.clock.wall_ms()) < 60_000
    assert names["bot"].apiKey == key.key


async def test_ports_of_products_are_told(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    with_ports = replace(opened, product_urls={"um": "http://127.0.0.1:8083"})
    await serve.serving(with_ports, as_json=False)
    assert "Binance USD-M   http://127.0.0.1:8083\n" in capsys.readouterr().out
    await serve.welcome(with_ports, as_json=True)
    assert json.loads(capsys.readouterr().out)["um_url"] == "http://127.0.0.1:8083"


async def test_for_machines_there_is_one_object(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    await serve.welcome(opened, as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {
        *("url", "fast_url", "data", "account_id", "api_key", "api_secret"),
    }
    await serve.serving(opened, as_json=True)
    assert json.loads(capsys.readouterr().out)["url"] == opened.url


async def test_where_nothing_is_kept_the_admin_key_is_told(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    kept_nowhere = replace(opened, ephemeral=True)
    assert kept_nowhere.doors.admin_key in serve.serving_text(kept_nowhere)
    assert opened.doors.admin_key not in serve.serving_text(opened)
    await serve.serving(kept_nowhere, as_json=True)
    assert json.loads(capsys.readouterr().out)["admin_key"] == opened.doors.admin_key


def test_a_port_that_is_taken_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def taken(*_: object) -> int:
        raise OSError(98, "address already in use")

    monkeypatch.setattr("exchange.server.run", taken)
    assert main(["serve", "--ephemeral"]) == 1
    assert "address already in use" in capsys.readouterr().err
