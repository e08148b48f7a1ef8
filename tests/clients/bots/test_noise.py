"""Tests of the noise trader."""

from decimal import Decimal

from clients.bots.noise import Noise, Settings
from clients.bots.strategy import Beat, Cancel, Place, Refused, Rules
from tests.clients.bots.stories import PERP, SPOT, bbo, fill, order


def noise(rules: Rules = PERP, **settings) -> Noise:
    bot = Noise(rules, Settings(**settings), "noise-")
    bot.hear(bbo(rules, "49999.9", "50000.1"))
    return bot


def orders_of(bot: Noise, beats: int) -> list[Place]:
    """What it wishes for in so many beats, each order ended before the next."""
    placed = []
    for number in range(beats):
        for wish in bot.hear(Beat(number)):
            assert isinstance(wish, Place)
            placed.append(wish)
            bot.hear(order(wish, "cancelled"))
    return placed


def test_the_same_seed_makes_the_same_orders_and_another_makes_others() -> None:
    assert orders_of(noise(seed=3), 20) == orders_of(noise(seed=3), 20)
    assert orders_of(noise(seed=3), 20) != orders_of(noise(seed=4), 20)


def test_it_is_silent_without_a_market() -> None:
    bot = Noise(PERP, Settings(), "noise-")
    assert bot.hear(Beat(1)) == []
    bot.hear(bbo(PERP, None, "50000.1"))
    assert bot.hear(Beat(2)) == []


def test_some_orders_take_and_some_rest_near_the_best_price() -> None:
    placed = orders_of(noise(taking_percent=30, reach_bps=20), 200)
    taking = [place for place in placed if place.price is None]
    assert 0 < len(taking) < len(placed) == 200
    for place in placed:
        if place.price is not None:
            best = Decimal("49999.9") if place.side == "buy" else Decimal("50000.1")
            # 20 basis points of 50,000 are 100, and a tick more for the rounding.
            assert abs(place.price - best) <= Decimal("100.2")


def test_sizes_lie_between_half_and_one_and_a_half_of_the_notional() -> None:
    # 500 to 1500 at 50,000: 0.010 to 0.030.
    sizes = {place.qty for place in orders_of(noise(notional=Decimal(1000)), 200)}
    assert min(sizes) >= Decimal("0.010")
    assert max(sizes) <= Decimal("0.030")
    assert len(sizes) > 10


def test_it_keeps_no_more_orders_open_than_it_may() -> None:
    bot = noise(taking_percent=0, orders_max=3)
    placed = 0
    for number in range(10):
        for wish in bot.hear(Beat(number)):
            assert isinstance(wish, Place)
            bot.hear(order(wish, "new"))
            placed += 1
    assert placed == 3


def test_it_loses_patience() -> None:
    bot = noise(taking_percent=0, patience_beats=5, orders_max=1)
    (place,) = bot.hear(Beat(1))
    assert isinstance(place, Place)
    bot.hear(order(place, "new"))
    assert all(bot.hear(Beat(number)) == [] for number in range(2, 6))
    assert bot.hear(Beat(6)) == [Cancel(place.client_id)]


def test_it_sells_no_spot_that_it_has_not_bought() -> None:
    bot = noise(SPOT)
    assert {place.side for place in orders_of(bot, 50)} == {"buy"}
    (place,) = [wish for wish in bot.hear(Beat(51)) if isinstance(wish, Place)]
    bot.hear(fill(place, qty="1"))
    bot.hear(order(place))
    assert {place.side for place in orders_of(bot, 50)} == {"sell"}  # And now it has too much.


def test_with_too_much_it_only_gives_back() -> None:
    bot = noise(PERP, held_max=Decimal(5000))
    (place,) = [wish for wish in bot.hear(Beat(0)) if isinstance(wish, Place)]
    bot.hear(fill(place, qty="0.2"))  # 10,000 at 50,000.
    bot.hear(order(place))
    other = "sell" if place.side == "buy" else "buy"
    assert {place.side for place in orders_of(bot, 50)} == {other}


def test_a_refused_order_makes_room_for_another() -> None:
    bot = noise(orders_max=1)
    (place,) = bot.hear(Beat(1))
    assert bot.hear(Beat(2)) == []
    bot.refused(Refused(place, "PRICE_BAND", "no"))
    assert len(bot.hear(Beat(3))) == 1
