"""Tests of what the channels say."""

import msgspec
import pytest

from clients.channels import Notice, private, said
from exchange.wire import BookDiffSay, BookSay, TradeSay
from tests.clients.wire_samples import NOON, margin


def test_a_book_message_with_a_first_id_is_a_difference() -> None:
    diff = BookDiffSay("BTC-USDT", 2, 3, [("1", "2")], [])
    snapshot = BookSay("BTC-USDT", 3, [("1", "2")], [])
    assert said("book.BTC-USDT", msgspec.json.encode(diff)) == diff
    assert said("book.BTC-USDT", msgspec.json.encode(snapshot)) == snapshot


def test_a_trade_is_the_record_of_its_channel() -> None:
    trade = TradeSay(1, "BTC-USDT", "5", "1", "buy", NOON)
    assert said("trades.BTC-USDT", msgspec.json.encode(trade)) == trade


def test_a_margin_message_without_a_notice_is_a_gauge() -> None:
    say = said("margin", msgspec.json.encode(margin("perp")))
    assert isinstance(say, Notice)
    assert (say.wallet, say.notice) == ("perp", "")


def test_a_channel_without_a_record_says_plain_objects() -> None:
    assert said("status", b'{"event":"welcome"}') == {"event": "welcome"}


@pytest.mark.parametrize(("channel", "own"), [("orders", True), ("book.BTC-USDT", False)])
def test_the_accounts_own_channels_are_known(channel: str, own: bool) -> None:
    assert private(channel) is own
