"""What the door answers to the fixed scripts is, word for word, what was recorded.

Where an answer was changed on purpose, `python -m tests.exchange.gateway.binance.golden` writes
the files anew, and the change is to be read in them.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from exchange.gateway.binance.routes import BY_METHOD, ROUTES
from exchange.gateway.binance.streams.names import OF_ALL, OF_ONE, spec_of
from exchange.gateway.binance.streams.session import METHODS
from exchange.gateway.binance.symbols import Product, Symbols
from exchange.gateway.binance.ws_api.door import APIS
from exchange.gateway.binance.ws_api.session import ApiSession
from matching.instrument import Instrument
from tests.exchange.gateway.binance.golden.playing import SUBJECTS, answers_of, played, script_of
from tests.exchange.gateway.binance.streams.listening import INSTRUMENTS

BYTES_MAX = 1_000_000
SOCKETS: dict[str, Product] = {"": "spot", "/um": "um", "/cm": "cm"}


def recorded(subject: str) -> list[str]:
    """The lines of a file."""
    return answers_of(subject).read_text("utf-8").splitlines()


def difference(was: Any, now: Any, place: str = "") -> str:
    """Where two JSON values begin to differ: the field, and both values."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in was:
            if name not in now:
                return f"{place}.{name} is gone"
            if found := difference(was[name], now[name], f"{place}.{name}"):
                return found
        if added := [name for name in now if name not in was]:
            return f"{place}.{added[0]} is new"
        return "" if list(was) == list(now) else f"{place} has its fields in another order"
    if isinstance(was, list) and isinstance(now, list):
        for number, pair in enumerate(zip(was, now, strict=False)):
            if found := difference(*pair, f"{place}[{number}]"):
                return found
        return "" if len(was) == len(now) else f"{place} has {len(now)} items, not {len(was)}"
    same = was == now and type(was) is type(now)
    return "" if same else f"{place} is {now!r}, not {was!r}"


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_a_script_is_answered_as_recorded(subject: str) -> None:
    told = await played(subject)
    for number, (was, now) in enumerate(zip(recorded(subject), told, strict=False), 1):
        found = "" if was == now else difference(json.loads(was), json.loads(now))
        assert not found, f"{subject}.jsonl:{number}: {found}\n{now}"
        assert was == now
    assert len(recorded(subject)) == len(told)


def test_a_difference_names_its_field() -> None:
    was = {"answer": [{"price": "1", "qty": 2}]}
    assert difference(was, was) == ""
    assert difference(was, {"answer": [{"price": 1, "qty": 2}]}) == ".answer[0].price is 1, not '1'"
    assert difference(was, {"answer": [{"price": "1"}]}) == ".answer[0].qty is gone"
    assert difference(was, {"answer": []}) == ".answer has 0 items, not 1"
    assert difference(was, {"answer": [{"qty": 2, "price": "1"}]}).endswith("in another order")
    assert difference({"a": True}, {"a": 1}) == ".a is 1, not True"


def asked() -> list[dict[str, Any]]:
    """Every line of every file."""
    return [json.loads(line) for subject in SUBJECTS for line in recorded(subject)]


def test_every_endpoint_succeeds_in_a_script() -> None:
    done = {tuple(line["ask"].split()[:2]) for line in asked() if line.get("status") == 200}
    assert {(route.verb, route.path) for route in ROUTES} - done == set()


def test_every_method_of_the_websocket_api_succeeds_in_a_script() -> None:
    apis: dict[str, str] = {}
    done = set()
    for line in asked():
        words = line.get("then", "").split()
        if words[:1] == ["open"]:
            apis[words[1]] = APIS.get(words[2], "")
        elif line.get("on") and "ask" in line and line["tells"].get("status") == 200:
            done.add((apis[line["on"]], line["ask"].split()[1]))
    assert set(BY_METHOD) - done == set()
    source = inspect.getsource(ApiSession)
    own = set(re.findall(r'"((?:session|userDataStream)\.[\w.]+)": self', source))
    assert own
    assert own - {method for _, method in done} == set()


def test_every_stream_is_told_in_a_script() -> None:
    eth = Instrument(
        symbol="ETH-USDT-PERP",
        kind="linear",
        base="ETH",
        quote="USDT",
        settle="USDT",
        tick="0.01",
        lot="0.001",
    )
    symbols = Symbols(INSTRUMENTS | {eth.symbol: eth})
    told: set[tuple[Product, str, bool]] = set()
    for line in asked():
        data = line.get("tells", {})
        if isinstance(data, dict) and "stream" in data:
            name = data["stream"]
            for product in SOCKETS.values():
                spec = spec_of(name, product, symbols)
                if spec is not None:
                    told.add((product, spec.topic, name.startswith("!")))
    for product in SOCKETS.values():
        head = {"spot": "btcusdt", "um": "btcusdt", "cm": "btcusd_perp"}[product]
        for plain in OF_ONE:
            spec = spec_of(f"{head}@{plain}", product, symbols)
            assert spec is None or (product, spec.topic, False) in told, (product, plain)
        for name in OF_ALL:
            shape = "" if name == "!bookTicker" else "@arr"
            spec = spec_of(name + shape, product, symbols)
            assert spec is None or (product, spec.topic, True) in told, (product, name)


def test_every_request_of_a_market_socket_is_answered_in_a_script() -> None:
    sent = {word for line in asked() for word in METHODS if f'"{word}"' in line.get("ask", "")}
    assert sent == set(METHODS)


def test_the_files_are_small_and_hold_nothing_else() -> None:
    assert sum(answers_of(subject).stat().st_size for subject in SUBJECTS) < BYTES_MAX
    files = {path.stem for path in answers_of("x").parent.glob("*.jsonl")}
    assert files == set(SUBJECTS)
    assert all(script_of(subject) for subject in SUBJECTS)
