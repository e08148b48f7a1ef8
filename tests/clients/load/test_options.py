"""Tests of the options of a load test."""

import argparse
from pathlib import Path

import pytest

from clients.load.options import Target, add_arguments, mix_of, shape_of, target_of
from clients.load.plan import DEFAULT_MIX, make_plan
from tests.clients.load.worlds import shape


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_without_options_there_is_a_sensible_load() -> None:
    plan = make_plan(shape_of(parsed()))
    assert (plan.shape.connections, plan.shape.rate, plan.shape.seconds) == (20, 200.0, 10.0)
    assert plan.shape.mix == DEFAULT_MIX
    assert plan.shape.symbols == ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP")
    target = target_of(parsed("--url", "http://127.0.0.1:8080/"))
    assert target == Target("http://127.0.0.1:8080", ("ws://127.0.0.1:8080/v1/ws",))


def test_every_option_reaches_the_shape_or_the_target() -> None:
    args = parsed(
        *("--url", "http://localhost:1", "--ws", "ws://127.0.0.1:2/v1/ws", "--connections", "10"),
        *("--rate", "50", "--ramp", "5", "--seconds", "3", "--warm-up", "0.5", "--seed", "9"),
        *("--symbols", "A-B, C-D,A-B,", "--mix", "place=2,cancel=1", "--slow-readers", "0.25"),
        *("--dialect", "binance", "--admin-key", "a", "--plot", "p.html"),
        *("--key", "k", "--secret", "s", "--json"),
    )
    assert shape_of(args) == shape(
        seed=9,
        connections=10,
        rate=50.0,
        ramp_from=5.0,
        seconds=3.0,
        warm_up_s=0.5,
        symbols=("A-B", "C-D"),
        mix={"place": 2, "cancel": 1},
    )
    # A quarter of ten, rounded up.
    assert target_of(args) == Target(
        "http://localhost:1", ("ws://127.0.0.1:2/v1/ws",), "k", "s", 3, "binance", "a"
    )
    assert args.json
    assert args.plot == Path("p.html")


@pytest.mark.parametrize("text", ["eat=1", "place", "place=", "place=-1", "place=1.5", "=1"])
def test_a_mix_that_cannot_be_read_says_how_it_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="KIND=WEIGHT of place, amend"):
        mix_of(text)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_every_name_of_this_machine_will_do(host: str) -> None:
    assert target_of(parsed("--url", f"http://{host}:9")).ws == (f"ws://{host}:9/v1/ws",)


@pytest.mark.parametrize(
    "address",
    [
        ("--url", "http://example.org"),
        ("--url", "http://192.168.0.1:8080"),
        ("--url", "http://0.0.0.0:8080"),
        ("--url", "https://papertape.example:8080"),
        ("--url", "http://localhost.example.org"),
        ("--url", "http://127.0.0.1@example.org"),
        ("--ws", "ws://example.org/v1/ws"),
    ],
)
def test_only_this_machine_is_loaded(address: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="is not on this machine"):
        target_of(parsed(*address))


@pytest.mark.parametrize(
    ("arguments", "ws"),
    [
        (["--fast"], "ws://127.0.0.1:8081/v1/ws"),
        (["--fast", "9"], "ws://127.0.0.1:9/v1/ws"),
        (["--fast", "9", "--url", "https://localhost:8080/"], "wss://localhost:9/v1/ws"),
        (["--fast", "9", "--url", "http://[::1]:8080"], "ws://[::1]:9/v1/ws"),
    ],
)
def test_the_fast_port_is_the_same_socket_elsewhere(arguments: list[str], ws: str) -> None:
    target = target_of(parsed(*arguments))
    assert target.ws == (ws,)
    assert target.root_of(0) == target.root_of(1) == ws.removesuffix("/v1/ws")


def test_connections_take_several_addresses_by_turns() -> None:
    first, second = "ws://127.0.0.1:1/v1/ws", "ws://localhost:2/v1/ws"
    target = target_of(parsed("--ws", first, second))
    assert [target.ws_of(number) for number in range(4)] == [first, second] * 2
    assert target.root_of(3) == "ws://localhost:2"
    with pytest.raises(ValueError, match="not on this machine"):
        target_of(parsed("--ws", first, "ws://example.org/v1/ws"))


def test_fast_port_and_another_address_are_one_or_the_other() -> None:
    with pytest.raises(SystemExit):
        parsed("--fast", "--ws", "ws://127.0.0.1:1/v1/ws")


def test_an_admin_key_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "admin"
    file.write_text("secret words\n", "utf-8")
    assert target_of(parsed("--admin-key", f"@{file}")).admin_key == "secret words"
    with pytest.raises(ValueError, match=r"--admin-key @.*No such file"):
        target_of(parsed("--admin-key", f"@{file}.gone"))


def test_help_teaches() -> None:
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    told = parser.format_help()
    for words in ("examples:", "exit codes:", "load.toml", "where it goes:", "docs/load.md"):
        assert words in told
