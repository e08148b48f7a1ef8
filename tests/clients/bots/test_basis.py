"""Tests of the basis trader."""

from decimal import Decimal

from clients.bots.basis import Basis, Settings
from clients.bots.strategy import Place, Refused, Transfer, Wish
from clients.channels import Event
from exchange.wire import AccountSay, BalanceSay
from tests.clients.bots.stories import PERP, SPOT, bbo, fill, order
from tests.clients.wire_samples import NOON


def basis(**settings) -> Basis:
    bot = Basis(SPOT, PERP, Settings(notional=Decimal(2000), **settings), "ba-")
    assert bot.hear(bbo(SPOT, "49999", "50001")) == []
    return bot


def sides(wishes: list[Wish]) -> list[tuple[str, str, Decimal]]:
    return [(w.symbol, w.side, w.qty) for w in wishes if isinstance(w, Place)]


def do(bot: Basis, wishes: list[Wish], **fee: str) -> list[Wish]:
    """Fill both legs, as the exchange tells it."""
    more: list[Wish] = []
    for wish in wishes:
        assert isinstance(wish, Place)
        more += bot.hear(fill(wish, **(fee if wish.symbol == SPOT.symbol else {})))
        more += bot.hear(order(wish))
    return more


def test_a_dear_perpetual_is_sold_and_the_coin_bought() -> None:
    # 50200 / 50001 - 1 = 39.8 basis points.
    wishes = basis().hear(bbo(PERP, "50200", "50201"))
    # 2000 / 50000 = 0.04 on both books.
    assert sides(wishes) == [
        ("BTC-USDT", "buy", Decimal("0.040")),
        ("BTC-USDT-PERP", "sell", Decimal("0.040")),
    ]


def test_a_basis_that_would_not_pay_the_fees_is_left_alone() -> None:
    # 50140 / 50001 - 1 = 27.8 basis points, less than 30.
    assert basis().hear(bbo(PERP, "50140", "50141")) == []


def test_while_a_leg_is_under_way_it_does_nothing() -> None:
    bot = basis()
    spot_leg, _ = bot.hear(bbo(PERP, "50200", "50201"))
    assert isinstance(spot_leg, Place)
    bot.hear(fill(spot_leg))
    assert bot.hear(order(spot_leg)) == []
    assert bot.hear(bbo(PERP, "50300", "50301")) == []


def test_it_holds_no_more_clips_than_it_may() -> None:
    bot = basis(clips_max=2)
    wishes = bot.hear(bbo(PERP, "50200", "50201"))
    second = do(bot, wishes)
    assert len(second) == 2
    assert do(bot, second) == []
    assert bot.held == {"BTC-USDT": Decimal("0.08"), "BTC-USDT-PERP": Decimal("-0.08")}


def test_when_the_basis_is_gone_it_gets_out_with_what_the_fees_left() -> None:
    bot = basis(clips_max=1)
    assert do(bot, bot.hear(bbo(PERP, "50200", "50201")), fee="0.00004", fee_asset="BTC") == []
    # 0.04 less 0.00004: 0.03996 of spot is there to be sold, 0.04 of the perpetual to buy back.
    wishes = bot.hear(bbo(PERP, "49990", "50000"))
    assert sides(wishes) == [
        ("BTC-USDT", "sell", Decimal("0.03996")),
        ("BTC-USDT-PERP", "buy", Decimal("0.040")),
    ]
    assert do(bot, wishes) == []
    assert bot.held == {"BTC-USDT": 0, "BTC-USDT-PERP": 0}


def test_a_leg_that_failed_is_mended_on_the_perpetual() -> None:
    bot = basis()
    spot_leg, perp_leg = bot.hear(bbo(PERP, "50200", "50201"))
    assert isinstance(spot_leg, Place)
    bot.refused(Refused(perp_leg, "INSUFFICIENT_MARGIN", "no"))
    bot.hear(fill(spot_leg))
    assert sides(bot.hear(order(spot_leg))) == [("BTC-USDT-PERP", "sell", Decimal("0.040"))]


def test_a_cheap_perpetual_needs_both_ways() -> None:
    # 49800 / 49999 - 1 = -39.8 basis points.
    assert basis().hear(bbo(PERP, "49799", "49800")) == []
    spot_leg, perp_leg = basis(both_ways=True).hear(bbo(PERP, "49799", "49800"))
    assert isinstance(spot_leg, Place)
    assert isinstance(perp_leg, Place)
    # It sells what it has not got: the order borrows it.
    assert (spot_leg.side, spot_leg.margin, spot_leg.side_effect) == ("sell", "cross", "borrow")
    assert (perp_leg.side, perp_leg.side_effect) == ("buy", "none")


def test_what_was_borrowed_is_bought_back_and_repaid() -> None:
    bot = basis(both_ways=True, clips_max=1)
    assert do(bot, bot.hear(bbo(PERP, "49799", "49800"))) == []
    spot_leg, perp_leg = bot.hear(bbo(PERP, "50001", "50002"))
    assert isinstance(spot_leg, Place)
    assert isinstance(perp_leg, Place)
    assert (spot_leg.side, spot_leg.side_effect) == ("buy", "repay")
    assert (perp_leg.side, perp_leg.qty) == ("sell", Decimal("0.040"))


def account(margin: str) -> Event:
    balances = [
        BalanceSay("spot", "USDT", "100000", "100000", "0", "0", "0", "100000"),
        BalanceSay("margin", "USDT", margin, margin, "0", "0", "0", margin),
    ]
    say = AccountSay(100, "paper", "", 1, NOON, balances, [], [], [], {}, 1)
    return Event("account", 1, NOON, say)


def test_for_both_ways_it_first_brings_collateral() -> None:
    bot = basis(both_ways=True, collateral=Decimal(20_000))
    assert bot.hear(account("5000")) == [Transfer("spot", "margin", "USDT", Decimal(15_000))]
    assert bot.hear(account("20000")) == []
    assert basis().hear(account("0")) == []
