"""What moves money weighs on the account and needs the permission; what is read does not."""

from __future__ import annotations

from exchange.gateway.binance.accounts.endpoints import paying, reading
from exchange.gateway.binance.general import ping


def test_what_moves_money_weighs_on_the_account() -> None:
    route = paying("asset/transfer", ping, 900)
    assert (route.verb, route.path, route.weight) == ("POST", "/sapi/v1/asset/transfer", 900)
    assert (route.security, route.by_account) == ("M", True)


def test_what_is_read_weighs_on_the_address() -> None:
    route = reading("margin/loan", ping, 10)
    assert (route.verb, route.path, route.weight) == ("GET", "/sapi/v1/margin/loan", 10)
    assert (route.security, route.by_account) == ("U", False)
