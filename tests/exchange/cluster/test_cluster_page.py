"""The page about clusters: its ACL is tried on a real Redis, its commands are ones that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from clients.api import Papertape
from exchange.cli.commands import parser
from exchange.cluster.connecting import Connection
from exchange.cluster.gateway import Address, Gateway
from exchange.cluster.lease import TTL_MS
from exchange.cluster.names import Names
from exchange.config import Config, Limits, Server
from tests.exchange.cluster.cores import core
from tests.exchange.cluster.redis_rig import DurableRedis, redis_of_its_own

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cluster.md"
COMMANDS = re.findall(r"^    (papertape [^\n]+)$", PAGE.read_text("utf-8"), re.M)
RULES = re.findall(r"^    (ACL SETUSER [^\n]+)$", PAGE.read_text("utf-8"), re.M)
CONFIG = Config(
    server=Server(port=0, fast_port=0, admin_key="a"), limits=Limits(accounts_per_minute=0)
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_can_be_given(command: str) -> None:
    _, *words = shlex.split(command)
    assert parser().parse_args(words).run


def test_the_times_of_the_page_are_the_program_s() -> None:
    assert f"runs out after {TTL_MS / 1_000} s" in PAGE.read_text("utf-8")


def user(server: DurableRedis, name: str) -> Connection:
    password = {"core": "CORE-PASSWORD", "gateway": "GATEWAY-PASSWORD"}[name]
    return Connection.parse(server.url, username=name, password=password)


async def test_with_its_rules_gateways_serve_and_cannot_write_the_log(tmp_path: Path) -> None:
    names = Names("main")
    with redis_of_its_own() as server:
        with server.connection.sync_client() as admin:
            if int(admin.info("server")["redis_version"].split(".")[0]) < 7:
                pytest.skip("rules that let read and not write need Redis 7")
            assert len(RULES) == 2
            for rule in RULES:
                admin.execute_command(*rule.split())
        running: Gateway
        async with core(user(server, "core"), names, tmp_path) as leading:
            assert leading.forgetful is None
            running = await Gateway.start(Address(user(server, "gateway"), names), CONFIG)
            try:
                async with Papertape(running.url, admin_key="a") as public:
                    opened = await public.open_account()
                    await public.set_index("BTC-USDT", "50000")
                async with Papertape(running.url, opened.api_key, opened.api_secret) as pt:
                    await pt.place("BTC-USDT", "buy", "0.1", price="49000")
                    assert len(await pt.orders(status="all")) == 1
                assert running.health()["problems"] == []
            finally:
                await running.stop()
        with user(server, "gateway").sync_client() as gateway:
            for key in (names.log, names.epoch, names.leader, names.snapshots):
                with pytest.raises(NoPermissionError):
                    gateway.set(key, "forged")
            with pytest.raises(NoPermissionError):
                gateway.xadd(names.log, {"frame": "forged"})
            with pytest.raises(NoPermissionError):
                gateway.config_set("appendonly", "no")
