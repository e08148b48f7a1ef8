"""Hands: they bind what their own commands need, and ask for nothing that would be refused."""

from exchange.commands import AmendOrder, AnyCommand, CancelAll, CancelOrder, Deposit, PlaceOrder
from exchange.market.agents.purses import Money, Purse, openings, refills
from exchange.market.agents.quoting import MAKER_LEVERAGE, Hand, Moves, in_order, is_thin
from exchange.market.prices import FixedPrices
from exchange.market.sight import E8, Sight
from matching.instrument import Instrument
from matching.types import Side
from tests.exchange.market.stage import CONTRACT, PAIR, START_MS, Stage, small_venue

SPOT = Purse("quoter", (Money("spot", "USDT", 1_000 * E8), Money("spot", "BTC", 2 * E8)))
MARGIN = Purse("dealer", (Money("perp", "USDT", 1_000 * E8),), ((CONTRACT, MAKER_LEVERAGE),))
TEN_THOUSAND = 1_000_000  # In ticks of 0.01.
HUNDREDTH = 1_000  # Of a coin, in lots of 0.00001: worth 100 at ten thousand.


def sight(stage: Stage) -> Sight:
    return Sight(1, START_MS, 1_000, stage.engine, FixedPrices({}), {})


def opened() -> Stage:
    stage = Stage(small_venue(), [])
    for made in (openings, refills):
        for command in made([SPOT, MARGIN], sight(stage)):
            assert stage.send(command).reason is None
    return stage


def hand(stage: Stage, label: str = "quoter", usual_minor: int = 0) -> Hand:
    account = sight(stage).account(label)
    assert account is not None
    return Hand(sight(stage), account, _instrument(stage, label), usual_minor)


def _instrument(stage: Stage, label: str) -> Instrument:
    return stage.engine.instruments[PAIR if label == "quoter" else CONTRACT]


def rest(stage: Stage, lots: int) -> None:
    """Let the quoter bid at ten thousand."""
    made: list[AnyCommand] = []
    hand(stage).place(Side.BUY, TEN_THOUSAND, lots, made)
    assert stage.send(made[0]).reason is None


def test_it_quotes_no_more_than_it_can_pay_for() -> None:
    stage = opened()
    made: list[AnyCommand] = []
    quoter = hand(stage)
    for _ in range(12):
        quoter.place(Side.BUY, TEN_THOUSAND, HUNDREDTH, made)
    assert len(made) == 9  # 1,000 pay for nine times 100 and the fees, not for ten.
    assert all(stage.send(command).reason is None for command in made)
    assert hand(stage).binds(Side.BUY, TEN_THOUSAND, HUNDREDTH) is False


def test_every_quote_is_post_only() -> None:
    made: list[AnyCommand] = []
    hand(opened()).place(Side.SELL, TEN_THOUSAND, HUNDREDTH, made)
    assert [c.post_only for c in made if isinstance(c, PlaceOrder)] == [True]


def test_a_contract_binds_its_margin_and_a_spare() -> None:
    dealer = hand(opened(), "dealer")
    # A lot of 0.001 at 10,000 is 10; a twentieth is margin, 0.15 % spared: 0.515 a lot of 1,000.
    assert dealer.affordable_lots(Side.BUY, 100_000, 10_000) in (1_941, 1_940)
    assert dealer.affordable_lots(Side.BUY, 100_000, 1_000) == 1_000


def test_what_a_hand_binds_for_one_side_of_a_contract_lacks_on_the_other() -> None:
    dealer = hand(opened(), "dealer")
    assert dealer.binds(Side.BUY, 100_000, 1_500)
    assert not dealer.binds(Side.SELL, 100_000, 1_500)


def test_an_order_that_cannot_be_moved_is_cancelled_if_it_must_leave() -> None:
    stage = opened()
    rest(stage, 9 * HUNDREDTH)
    quoter = hand(stage)
    retreats: list[AnyCommand] = []
    nearer: list[AnyCommand] = []
    order = quoter.orders(Side.BUY)[0]
    # Twice the price is twice the money, which is not there.
    quoter.move(order, 2 * TEN_THOUSAND, 9 * HUNDREDTH, retreats, nearer)
    assert nearer == []
    assert retreats == [CancelOrder(account_id=order.account_id, order_id=order.order_id)]
    # And what it bound is free again.
    assert quoter.binds(Side.BUY, TEN_THOUSAND, 9 * HUNDREDTH)


def test_moves_are_parted_by_whether_they_come_nearer() -> None:
    stage = opened()
    rest(stage, HUNDREDTH)
    retreats: list[AnyCommand] = []
    nearer: list[AnyCommand] = []
    for ticks in (TEN_THOUSAND - 1, TEN_THOUSAND + 1, TEN_THOUSAND):
        quoter = hand(stage)
        quoter.move(quoter.orders(Side.BUY)[0], ticks, HUNDREDTH, retreats, nearer)
    # Where nothing changes nothing is sent.
    assert [c.price_ticks for c in retreats if isinstance(c, AmendOrder)] == [TEN_THOUSAND - 1]
    assert [c.price_ticks for c in nearer if isinstance(c, AmendOrder)] == [TEN_THOUSAND + 1]


def test_a_hand_that_was_cleared_has_no_orders_and_all_its_money() -> None:
    stage = opened()
    rest(stage, 9 * HUNDREDTH)
    retreats: list[AnyCommand] = []
    quoter = hand(stage)
    quoter.clear(retreats)
    assert retreats == [CancelAll(account_id=quoter.account.id, symbol=PAIR)]
    assert quoter.orders(Side.BUY) == []
    assert quoter.binds(Side.BUY, TEN_THOUSAND, 9 * HUNDREDTH)


def test_the_excess_is_what_it_holds_beyond_the_usual() -> None:
    stage = opened()
    assert hand(stage, usual_minor=2 * E8).excess_lots == 0
    assert hand(stage, usual_minor=E8).excess_lots == 100_000
    assert hand(stage, "dealer").excess_lots == 0


def test_an_order_is_thin_below_a_third() -> None:
    stage = opened()
    rest(stage, HUNDREDTH)
    order = hand(stage).orders(Side.BUY)[0]
    assert not is_thin(order, HUNDREDTH)
    assert not is_thin(order, 2 * HUNDREDTH)
    assert is_thin(order, 3 * HUNDREDTH)


def test_all_retreats_go_before_anything_that_comes_nearer() -> None:
    first, second = (
        Moves(
            [Deposit(account_id=maker)],
            [Deposit(account_id=maker + 1)],
            [Deposit(account_id=maker + 2)],
            [Deposit(account_id=maker + 3)],
        )
        for maker in (10, 20)
    )
    ordered = [c.account_id for c in in_order([first, second]) if isinstance(c, Deposit)]
    assert ordered == [10, 20, 11, 21, 12, 22, 13, 23]
