"""The load test against the exchange itself: on both doors, over its limits, and when it dies."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from clients.load.command import WORSE
from tests.live.exchanges import ADMIN_KEY, ENDS_WITHIN_S, Exchange, papertape, run, serving

PIPES: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP")

# Nobody else trades, so what the books hold is the load's; prices move, as indexes do.
QUIET = """
[market]
agents = false
history = false
symbols = ["BTC-USDT", "BTC-USDT-PERP"]

[limits]
weight_per_minute = 0
orders_per_10_seconds = {orders}
orders_per_day = 0
messages_per_second = 0

[binance]
spot_orders_per_10_seconds = 0
futures_orders_per_10_seconds = 0
futures_orders_per_minute = 0
spot_messages_per_second = 0
futures_messages_per_second = 0
"""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """An exchange without limits, shared: each load cleans up behind itself."""
    folder = tmp_path_factory.mktemp("load")
    with serving(folder, "--ephemeral", config=QUIET.format(orders=0), data=None) as running:
        yield running


def load(exchange: Exchange, *more: str) -> list[str]:
    """The words of a short load: 300 requests a second on six connections."""
    return [
        *("load", "--url", exchange.url, "--json", "--symbols", ",".join(SYMBOLS)),
        *("--connections", "6", "--rate", "300", "--warm-up", "0.5", *more),
    ]


def asked(exchange: Exchange, path: str) -> Any:
    with urlopen(exchange.url + path) as answer:
        return json.load(answer)


@pytest.mark.parametrize("door", ["main", "fast"])
def test_everything_planned_is_sent_answered_and_cleaned_up(exchange: Exchange, door: str) -> None:
    fast = ["--fast", str(urlsplit(exchange.fast_url).port)] if door == "fast" else []
    done = run(*load(exchange, "--seconds", "2", "--slow-readers", "0.3", *fast))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    # 0.5 s and 2 s at 300 a second.
    assert (report["warm_up_requests"], report["planned"], report["sent"]) == (150, 600, 600)
    assert report["done"] + report["refused"] == 600
    # A take may have filled an order before it is amended or cancelled; else nothing goes wrong.
    codes = {code for by_code in report["errors"].values() for code in by_code}
    assert codes <= {"UNKNOWN_ORDER"}, report["errors"]
    assert report["done"] > 500
    assert set(report["latency_ms"]) >= {"all", "place", "amend", "cancel", "take", "subscribe"}
    assert report["latency_ms"]["all"]["from_planned"]["p50"] > 0
    assert report["connections_lost"] == {}
    assert report["slow_readers"]["readers"] == 2
    assert report["pushes"] > 0
    # Nobody else commands but the clock: what the exchange counted holds all that was asked of it.
    subscribed = report["latency_ms"]["subscribe"]["from_sent"]["count"]
    assert report["server"]["commands"] >= report["sent"] - subscribed
    assert report["server"]["groups"] > 0
    for symbol in SYMBOLS:
        book = asked(exchange, f"/v1/book/{symbol}")
        assert (book["bids"], book["asks"]) == ([], [])
    assert asked(exchange, "/v1/audit")["ok"] is True


@pytest.mark.parametrize("door", ["main", "fast"])
def test_the_binance_door_takes_the_same_plan(
    exchange: Exchange, door: str, tmp_path: Path
) -> None:
    fast = ["--fast", str(urlsplit(exchange.fast_url).port)] if door == "fast" else []
    old, page = tmp_path / "old.json", tmp_path / "page.html"
    words = load(exchange, "--seconds", "1", "--dialect", "binance", *fast)
    done = run(*words)
    assert done.returncode == 0, done.stderr
    old.write_text(done.stdout, "utf-8")
    report = json.loads(done.stdout)
    assert (report["sent"], report["unanswered"], report["connections_lost"]) == (300, 0, {})
    # A take may have filled an order before it is amended or cancelled.
    assert set(report["errors"]) <= {"amend", "cancel"}
    assert report["done"] > 200
    again = run(*words, "--compare", old, "--plot", page)
    assert again.returncode in (0, WORSE), again.stderr
    comparison = json.loads(again.stdout)["comparison"]
    assert comparison["unlike"] == []
    assert (comparison["worse"] > 0) == (again.returncode == WORSE)
    assert "<svg" in page.read_text("utf-8")
    for symbol in SYMBOLS:
        book = asked(exchange, f"/v1/book/{symbol}")
        assert (book["bids"], book["asks"]) == ([], [])


def test_where_accounts_take_the_admin_key_it_is_asked_for(tmp_path: Path) -> None:
    config = QUIET.format(orders=0) + "\n[server]\nrequire_admin = true\n"
    flags = ("--ephemeral", "--admin-key", ADMIN_KEY)
    with serving(tmp_path, *flags, config=config, data=None) as guarded:
        words = load(guarded, "--seconds", "0.2")
        refused = run(*words)
        assert refused.returncode == 1
        assert "give --admin-key" in refused.stderr
        assert run(*words, "--admin-key", ADMIN_KEY).returncode == 0


def test_who_asks_too_much_of_one_account_is_told_how_to_ask_for_more(tmp_path: Path) -> None:
    config = QUIET.format(orders=10)
    with serving(tmp_path, "--ephemeral", config=config, data=None) as limited:
        done = run(*load(limited, "--seconds", "1"))
    report = json.loads(done.stdout)
    # Six accounts may place 10 orders each in ten seconds; about 35 % of 450 requests place.
    assert report["errors"]["place"]["RATE_LIMITED"] > 30
    assert any("spread the rate over more --connections" in note for note in report["notes"])
    assert report["latency_ms"]["refused"]["from_planned"]["count"] == report["refused"]


def test_an_exchange_that_dies_under_the_load_is_reported_and_not_passed_over(
    tmp_path: Path,
) -> None:
    config = QUIET.format(orders=0)
    with serving(tmp_path, "--ephemeral", config=config, data=None) as doomed:
        command = papertape(*load(doomed, "--seconds", "600", "--warm-up", "0"))
        process = subprocess.Popen(command, **PIPES)
        while len(asked(doomed, "/v1/book/BTC-USDT")["bids"]) < 10:
            assert process.poll() is None
        doomed.kill()
        # It could go on for ten minutes, but with whom?
        said, complaint = process.communicate(timeout=ENDS_WITHIN_S)
    report = json.loads(said)
    assert process.returncode == 1
    assert "every connection was lost" in complaint
    assert report["interrupted"] is True
    assert report["connections_lost"] == {"broken": 6}
    assert report["server"] is None
    # Whatever was on its way is counted, and so is what could not be sent any more.
    assert report["sent"] == report["done"] + report["refused"] + report["unanswered"]
