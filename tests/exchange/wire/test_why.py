"""Tests of the records of reason trees: plain words on the wire, whatever Python calls them."""

from __future__ import annotations

import msgspec

from exchange.wire import WhyInput, WhySay, WhyStep


def test_from_and_with_are_called_so_on_the_wire() -> None:
    given = WhyInput("price", "5", "USDT", "the book")
    step = WhyStep("twice", "Twice", "price * 2", "5 * 2", "10", "USDT")
    leaf = WhySay("fill", "2", 1, 2, "S1", "A leaf.", [], [], [], [])
    tree = WhySay("fill", "1", 1, 2, "S1", "A tree.", [given], [step], [], [leaf])
    raw = msgspec.json.encode(tree)
    plain = msgspec.json.decode(raw)
    assert plain["inputs"] == [{"name": "price", "value": "5", "unit": "USDT", "from": "the book"}]
    assert plain["steps"][0]["with"] == "5 * 2"
    assert plain["children"][0]["says"] == "A leaf."
    assert msgspec.json.decode(raw, type=WhySay) == tree
