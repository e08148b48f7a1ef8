"""Tests of the momentum trader."""

from decimal import Decimal

from clients.bots.momentum import Average, Momentum, Settings
from clients.bots.strategy import Place, Refused
from tests.clients.bots.stories import PERP, fill, order, trade

SETTINGS = Settings(
    notional=Decimal(5000),
    leverage=10,
    quick_ms=1_000,
    slow_ms=10_000,
    threshold_bps=Decimal(2),
    stop_bps=Decimal(40),
)


def momentum() -> Momentum:
    bot = Momentum(PERP, SETTINGS, "mo-")
    assert bot.hear(trade(PERP, "50000", 0)) == []
    return bot


def entered(price: str) -> tuple[Momentum, Place]:
    """A trader that has followed a move to this price."""
    bot = momentum()
    (place,) = bot.hear(trade(PERP, price, 1))
    assert isinstance(place, Place)
    bot.hear(fill(place, price=price))
    bot.hear(order(place))
    return bot, place


def test_an_average_comes_half_of_the_way_in_its_half_time() -> None:
    average = Average(1_000)
    average.hear(Decimal(100), 0)
    average.hear(Decimal(200), 1_000)
    assert average.price == 150
    average.hear(Decimal(200), 2_000)
    assert average.price == 175


def test_a_busy_moment_counts_no_more_than_a_quiet_one() -> None:
    average = Average(1_000)
    average.hear(Decimal(100), 0)
    for _ in range(50):
        average.hear(Decimal(200), 0)
    assert average.price == 100


def test_it_goes_long_with_a_rise_and_short_with_a_fall() -> None:
    # After a second the quick average is half of the way, 250 of 500; the slow one
    # 500 x (1 - 2^-0.1) = 33.5: they part by 43 basis points.
    _, bought = entered("50500")
    assert (bought.side, bought.leverage, bought.price) == ("buy", 10, None)
    assert bought.qty == Decimal("0.099")  # 5000 / 50500 = 0.0990...
    _, sold = entered("49500")
    assert sold.side == "sell"


def test_a_small_move_is_not_believed() -> None:
    # Half of 5 less 0.3: under half a basis point.
    assert momentum().hear(trade(PERP, "50005", 1)) == []


def test_one_order_at_a_time() -> None:
    bot = momentum()
    (place,) = bot.hear(trade(PERP, "50500", 1))
    assert bot.hear(trade(PERP, "50600", 2)) == []
    bot.refused(Refused(place, "INSUFFICIENT_MARGIN", "no"))
    assert len(bot.hear(trade(PERP, "50600", 3))) == 1


def test_it_closes_when_the_averages_turn() -> None:
    bot, place = entered("50500")
    # In a hundred seconds both averages come to the price, the slow one to 50500 - 500 x 2^-10.
    assert all(bot.hear(trade(PERP, "50500", second)) == [] for second in range(2, 101))
    # A fall within the stop: 40 basis points of 50,500 are 202.
    (close,) = bot.hear(trade(PERP, "50310", 102))
    assert isinstance(close, Place)
    assert (close.side, close.qty, close.reduce_only) == ("sell", place.qty, True)


def test_it_stops_when_the_price_goes_too_far_against_it_and_stays_out() -> None:
    bot, _ = entered("50500")
    # 50500 - 50297 = 203 is more than 40 basis points, while the averages still point up.
    (close,) = bot.hear(trade(PERP, "50297", 1))
    assert isinstance(close, Place)
    assert (close.side, close.reduce_only) == ("sell", True)
    bot.hear(fill(close, price="50297"))
    bot.hear(order(close))
    assert bot.held == 0
    assert bot.signal() == "buy"
    assert bot.hear(trade(PERP, "50297", 1)) == []


def test_an_addition_averages_the_entry_and_a_turn_begins_anew() -> None:
    bot, place = entered("50500")
    bot.hear(fill(place, price="50700"))
    assert bot._entry == 50600  # (50500 + 50700) / 2
    sold = Place(client_id="mo-9", symbol=PERP.symbol, side="sell", qty=place.qty * 3)
    bot.hear(fill(sold, price="50100"))
    assert bot.held == -place.qty
    assert bot._entry == 50100
