"""`papertape gateway`: its options, and what it says when it cannot start or is there."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from exchange.cli import gateway
from exchange.cli.commands import main, parser
from exchange.cluster.gateway import Gateway

REDIS = ("gateway", "--redis", "redis://127.0.0.1:1")


class Open:
    """What is told of a running gateway."""

    name = "7f"
    url, fast_url = "http://127.0.0.1:8080", "http://127.0.0.1:8081"


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("--host", "0.0.0.0"), "host", "0.0.0.0"),
        (("--port", "0"), "port", 0),
        (("--fast-port", "9"), "fast_port", 9),
        (("--admin-key", "@f"), "admin_key", "@f"),
        (("--require-admin",), "require_admin", True),
    ],
)
def test_every_flag_reaches_its_setting(words: tuple[str, ...], name: str, value: object) -> None:
    config = gateway._config_of(parser().parse_args([*REDIS, *words]))
    assert getattr(config.server, name) == value


def test_a_tape_is_the_one_that_the_cores_play() -> None:
    config = gateway._config_of(parser().parse_args([*REDIS, "--tape", "btc.csv"]))
    assert (config.market.prices, config.market.tape) == ("tape", "btc.csv")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gateway",), "--redis"),
        (("gateway", "--redis", "nonsense"), "redis://"),
        ((*REDIS, "--venue", "no {braces}"), "--venue"),
        ((*REDIS, "--config", "/nowhere.toml"), "/nowhere.toml"),
    ],
)
def test_a_mistake_is_said_before_anything_starts(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(words)
    except SystemExit as ended:  # The parser's own.
        code = int(ended.code or 0)
    assert code == 2
    assert says in capsys.readouterr().err


def test_where_everything_is_is_told_to_people_and_to_machines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    running = cast("Gateway", Open())
    gateway.tell(running, as_json=True)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert said == {"gateway": "7f", "url": Open.url, "fast_url": Open.fast_url}
    gateway.tell(running, as_json=False)
    told = capsys.readouterr().out
    assert "ws://127.0.0.1:8081/v1/ws" in told
    assert "PAPER" in told
