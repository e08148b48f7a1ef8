"""Tests of the market maker."""

from decimal import Decimal

import pytest

from clients.bots.market_maker import MarketMaker, Settings
from clients.bots.strategy import Amend, Beat, Cancel, Place, Refused, Rules
from tests.clients.bots.stories import PERP, SPOT, bbo, fill, mark, order

SETTINGS = Settings(
    notional=Decimal(1000), spread_bps=Decimal(10), lean_bps=Decimal(20), orders_max=2
)


def maker(rules: Rules = PERP) -> MarketMaker:
    return MarketMaker(rules, SETTINGS, "mm-")


def quotes(rules: Rules = PERP) -> tuple[MarketMaker, Place, Place]:
    """A market maker with a bid and an ask in the book, around 50,000."""
    bot = maker(rules)
    bid, ask = bot.hear(mark(rules, "50000"))
    assert isinstance(bid, Place)
    assert isinstance(ask, Place)
    bot.hear(order(bid, "new"))
    assert bot.hear(order(ask, "new")) == []
    return bot, bid, ask


def test_it_quotes_both_sides_of_the_mark_and_never_takes() -> None:
    _, bid, ask = quotes()
    # 10 basis points of 50,000 are 50.
    assert (bid.side, bid.price) == ("buy", Decimal(49950))
    assert (ask.side, ask.price) == ("sell", Decimal(50050))
    assert bid.qty == ask.qty == Decimal("0.020")  # 1000 / 50000
    assert bid.post_only
    assert ask.post_only


def test_without_any_price_it_is_silent() -> None:
    assert maker().hear(Beat(1)) == []


def test_it_asks_for_nothing_twice_while_it_waits_for_an_answer() -> None:
    bot = maker()
    assert len(bot.hear(mark(PERP, "50000"))) == 2
    assert bot.hear(mark(PERP, "50100")) == []


def test_a_quote_follows_the_mark_only_when_it_is_far_enough() -> None:
    bot, bid, ask = quotes()
    # 1 basis point of patience: 5 at 50,000.
    assert bot.hear(mark(PERP, "50004")) == []
    assert bot.hear(mark(PERP, "50100")) == [
        Amend(bid.client_id, Decimal("50049.9")),  # 50100 x 0.999
        Amend(ask.client_id, Decimal("50150.1")),  # 50100 x 1.001
    ]


def test_it_leans_away_from_what_it_holds() -> None:
    bot, bid, ask = quotes()
    bot.hear(fill(bid))
    again, moved = bot.hear(order(bid, "filled"))
    # It holds half of what it may: 20 x 1/2 = 10 basis points lower, the centre is at 49,950.
    assert isinstance(again, Place)
    assert again.price == Decimal("49900.0")  # 49950 x 0.999 = 49900.05, on the tick below.
    assert moved == Amend(ask.client_id, Decimal("50000.0"))  # 49950 x 1.001 = 49999.95


def test_with_all_it_may_hold_it_bids_no_more() -> None:
    bot, bid, ask = quotes()
    bot.hear(fill(bid))
    again, moved = bot.hear(order(bid, "filled"))
    assert isinstance(again, Place)
    assert isinstance(moved, Amend)
    bot.hear(order(again, "new"))
    bot.hear(order(ask, "new", price=str(moved.price)))
    bot.hear(fill(again))
    wishes = bot.hear(order(again, "filled"))
    assert [type(wish) for wish in wishes] == [Amend]  # The ask alone; there is no bid.


def test_a_resting_quote_that_it_may_no_longer_afford_is_cancelled() -> None:
    bot, bid, _ask = quotes()
    # Somebody else's fills of it: its bid is filled by a half and another fill, 2 x 0.02 held.
    bot.hear(fill(bid, "0.030"))
    wishes = bot.hear(Beat(1))
    assert Cancel(bid.client_id) in wishes


def test_its_quotes_never_cross_the_market() -> None:
    bot = maker()
    for wish in bot.hear(bbo(PERP, "49899.9", "49900.0")):  # The first price it sees.
        bot.refused(Refused(wish, "RATE_LIMITED", "no"))
    bid, ask = bot.hear(mark(PERP, "50000"))
    assert isinstance(bid, Place)
    assert isinstance(ask, Place)
    assert bid.price == Decimal("49899.9")  # One tick below the best ask, not 49,950.
    assert ask.price == Decimal("50050.0")


def test_of_a_spot_pair_it_sells_only_what_it_bought() -> None:
    bot = maker(SPOT)
    (bid,) = bot.hear(mark(SPOT, "50000"))
    assert isinstance(bid, Place)
    assert (bid.side, bid.leverage) == ("buy", None)
    bot.hear(order(bid, "new"))
    bot.hear(fill(bid))
    wishes = bot.hear(order(bid, "filled"))
    assert {wish.side for wish in wishes if isinstance(wish, Place)} == {"buy", "sell"}


def test_after_a_refusal_it_tries_again_with_the_next_event() -> None:
    bot = maker()
    bid, ask = bot.hear(mark(PERP, "50000"))
    bot.refused(Refused(bid, "WOULD_TAKE", "no"))
    bot.refused(Refused(ask, "WOULD_TAKE", "no"))
    assert len(bot.hear(Beat(1))) == 2


@pytest.mark.parametrize("rules", [SPOT, PERP])
def test_it_hears_the_price_of_others_and_what_becomes_of_its_orders(rules: Rules) -> None:
    assert maker(rules).channels == (
        f"bbo.{rules.symbol}",
        f"mark.{rules.symbol}",
        "orders",
        "fills",
    )
