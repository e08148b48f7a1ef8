"""The page on perpetuals over the API names only what there is."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from exchange import wire
from exchange.gateway.native.routes import BY_OP, REST_ROUTES
from exchange.wire import PRIVATE_CHANNELS, FaucetAsk, OrderAsk, PositionModeAsk
from exchange.wire.stream import NoticeSay

PAGE = Path(__file__).parents[1] / "docs" / "perpetuals-api.md"
OTHERS = {"spot", "perp", "linear", "inverse", "both", "why"}  # Wallets, kinds, a side, an op.


def test_every_name_on_the_page_is_of_the_wire() -> None:
    records = [each for each in vars(wire).values() if isinstance(each, type)]
    fields = {
        name
        for kind in (*records, NoticeSay)
        if issubclass(kind, msgspec.Struct)
        for name in kind.__struct_fields__
    }
    known = fields | set(BY_OP) | set(PRIVATE_CHANNELS) | OTHERS
    named = set(re.findall(r"`([a-z_.]+)`", PAGE.read_text("utf-8")))
    assert named - known == set()


def test_every_address_on_the_page_is_served() -> None:
    page = PAGE.read_text("utf-8")
    served = {(route.method, route.path) for route in REST_ROUTES}
    addresses = re.findall(r"\b(GET|POST|PUT) (/v1/[a-z/]+)", page)
    assert len(addresses) == 7
    assert set(addresses) <= served


def test_what_the_page_sends_is_accepted() -> None:
    bodies = re.findall(r"\{(?:[^{}]|\{[^{}]*\})+\}", PAGE.read_text("utf-8"))
    mode, faucet, bracket = sorted(bodies, key=len)
    msgspec.json.decode(bracket, type=OrderAsk)
    msgspec.json.decode(mode, type=PositionModeAsk)
    msgspec.json.decode(faucet, type=FaucetAsk)
