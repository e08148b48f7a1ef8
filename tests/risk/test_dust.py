"""Tests of dust: what cannot be sold on a book, and the house that takes it."""

from __future__ import annotations

import pytest

from exchange.commands import ConvertDust
from exchange.events import LedgerPosted
from matching.reasons import Reason
from risk import dust
from risk.ledger import DUST, FEES
from tests.risk.test_fees import ETH, round_venue
from tests.story import Story, again, answer, of, refusal, units


def _with_dust(amount: str = "0.999") -> tuple[Story, int]:
    """Somebody with so much ETH at 100, in lots of 0.01 and orders of 5 USDT at least."""
    story = Story(round_venue())
    return story, story.account("me", spot_ETH=amount)


def test_v14_dust_is_sold_to_the_house_at_the_index_less_a_fee() -> None:
    """0.009 ETH at 100 are 0.9; 2 % of that is 0.018."""
    story, me = _with_dust()
    events = story.ok(ConvertDust, account_id=me, assets=["ETH"])
    assert story.person(me).free("spot", "ETH") == units("0.99")
    assert story.person(me).free("spot", "USDT") == units("0.882")
    told = [(each.asset, each.change_minor, each.reason) for each in of(events, LedgerPosted)]
    assert told == [
        ("ETH", -units("0.009"), "dust"),
        ("USDT", units("0.9"), "dust"),
        ("USDT", -units("0.018"), "fee"),
    ]
    ledger = story.engine.risk.ledger
    assert ledger.house(DUST, "ETH").minor == units("0.009")
    assert ledger.house(DUST, "USDT").minor == -units("0.9")
    assert ledger.house(FEES, "USDT").minor == units("0.018")


def test_what_is_below_the_least_notional_is_dust_as_a_whole() -> None:
    """Four lots at 100 are 4 USDT, and no order is for less than 5; five lots can be sold."""
    story, me = _with_dust("0.045")
    story.ok(ConvertDust, account_id=me)
    assert story.person(me).free("spot", "ETH") == 0
    assert story.person(me).free("spot", "USDT") == units("4.41")  # 4.5 less 2 %.
    other = story.account("other", spot_ETH="0.05")
    assert refusal(story.do(ConvertDust, account_id=other)) is Reason.NO_DUST


def test_what_an_order_holds_is_not_dust() -> None:
    story, me = _with_dust("0.06")
    story.sell(me, ETH, "0.05", "100")
    story.ok(ConvertDust, account_id=me)
    assert story.person(me).minor("spot", "ETH") == units("0.05")


def test_a_request_converts_all_that_it_names_or_nothing() -> None:
    story, me = _with_dust()
    for assets, reason in (
        (["ETH", "USDT"], Reason.NO_DUST),
        (["ETH", "XYZ"], Reason.UNKNOWN_ASSET),
    ):
        assert refusal(story.do(ConvertDust, account_id=me, assets=assets)) is reason
    assert story.person(me).free("spot", "ETH") == units("0.999")
    story.ok(ConvertDust, account_id=me, assets=["ETH", "ETH"])
    assert story.person(me).free("spot", "ETH") == units("0.99")
    assert refusal(story.do(ConvertDust, account_id=me, assets=["ETH"])) is Reason.NO_DUST


def test_only_spot_has_dust() -> None:
    story, me = _with_dust()
    events = story.do(ConvertDust, account_id=me, wallet="margin")
    assert refusal(events) is Reason.UNKNOWN_WALLET


def test_dust_worth_less_than_a_unit_is_not_taken_for_nothing() -> None:
    """0.00000001 ETH at 100 are 0.000001 USDT, 2 % of it rounded up is a unit of a hundred."""
    story, me = _with_dust("0.00000001")
    story.ok(ConvertDust, account_id=me)
    assert story.person(me).free("spot", "USDT") == 98
    story.index("ETH", "0.01")
    story.deposit(me, "spot", "ETH", "0.00000001")
    assert refusal(story.do(ConvertDust, account_id=me, assets=["ETH"])) is Reason.NO_DUST


def test_the_house_takes_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    story, me = _with_dust()
    monkeypatch.setattr(dust, "DUST_SPENT_MAX", units("0.89999999"))
    assert refusal(story.do(ConvertDust, account_id=me)) is Reason.DUST_LIMIT
    monkeypatch.setattr(dust, "DUST_SPENT_MAX", units("0.9"))
    story.ok(ConvertDust, account_id=me)


def test_a_client_id_converts_once() -> None:
    story, me = _with_dust()
    story.ok(ConvertDust, account_id=me, client_id="sweep")
    again_ = answer(story.do(ConvertDust, account_id=me, client_id="sweep"))
    assert (again_.reason, again_.repeated) == (None, True)


def test_the_houses_dust_comes_back_from_a_snapshot() -> None:
    story, me = _with_dust()
    story.ok(ConvertDust, account_id=me)
    restored = again(story.engine)
    assert restored.digest() == story.engine.digest()
    assert restored.risk.ledger.house(DUST, "ETH").minor == units("0.009")


def test_without_a_price_whole_lots_are_sellable() -> None:
    instrument = round_venue().instruments[0]
    assert dust.max_sellable_minor(instrument, units("0.019"), None) == units("0.01")
    assert dust.max_sellable_minor(instrument, units("0.019"), units("100")) == 0
    assert dust.max_sellable_minor(instrument, units("0.059"), units("100")) == units("0.05")
