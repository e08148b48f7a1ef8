"""The flow of `bench edge`: equal each time, its names never twice, and what rests is cancelled."""

from __future__ import annotations

from typing import Any

import msgspec

from exchange.bench.orders_flow import MIX, PERP, ROUND, Sender


def said(number: int, count: int) -> list[dict[str, Any]]:
    frames = Sender(number).frames(count)
    return [msgspec.json.decode(frame[frame.index(b"{") :]) for frame in frames]


def test_a_round_is_what_the_report_says_it_is() -> None:
    messages = said(3, ROUND)
    placed = [each for each in messages if each["op"] == "order.place"]
    cancelled = [each["client_id"] for each in messages if each["op"] == "order.cancel"]
    meeting = [each for each in placed if each["price"] == "50000"]
    assert len(cancelled) / ROUND == MIX["cancelling"]
    assert len(meeting) / ROUND == MIX["meeting"]
    assert (len(placed) - len(meeting)) / ROUND == MIX["resting"]
    assert sum(each["symbol"] == PERP for each in placed) / len(placed) == MIX["perpetual"]
    assert cancelled == [each["client_id"] for each in placed if each not in meeting]


def test_no_name_comes_twice_and_the_same_connection_says_the_same() -> None:
    messages = said(3, 200)
    names = [each["client_id"] for each in messages if each["op"] == "order.place"]
    assert len(set(names)) == len(names)
    assert messages == said(3, 200)


def test_who_buys_in_one_round_sells_in_the_next_and_his_neighbour_the_other_way() -> None:
    sides = [
        [each["side"] for each in said(number, 2 * ROUND) if each.get("price") == "50000"]
        for number in (0, 1)
    ]
    assert sides == [["buy", "buy", "sell", "sell"], ["sell", "sell", "buy", "buy"]]
