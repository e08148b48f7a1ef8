"""Tests of client ids used before."""

from __future__ import annotations

from exchange.commands import CancelAll, PlaceOrder
from exchange.duplicates import content_hash, remember
from matching.limits import DUPLICATE_IDS_KEPT_MAX
from risk.account import Account


def test_a_command_is_the_same_whenever_it_comes() -> None:
    first = PlaceOrder(seq=1, time_ms=5, account_id=100, symbol="BTC-USDT", client_id="a")
    later = PlaceOrder(seq=9, time_ms=7, account_id=100, symbol="BTC-USDT", client_id="a")
    other = PlaceOrder(account_id=100, symbol="ETH-USDT", client_id="a")
    assert content_hash(first) == content_hash(later) != content_hash(other)
    assert content_hash(CancelAll(account_id=100)) != content_hash(PlaceOrder(account_id=100))


def test_only_the_newest_are_kept() -> None:
    account = Account(100, "user", "someone")
    for number in range(DUPLICATE_IDS_KEPT_MAX + 2):
        remember(account, str(number), b"", number)
    assert len(account.recent) == DUPLICATE_IDS_KEPT_MAX
    assert "1" not in account.recent
    assert account.recent["2"] == (b"", 2)
