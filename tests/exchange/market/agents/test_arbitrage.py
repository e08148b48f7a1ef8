"""The basis trader: it sells what is dear, hedges with coins, and closes when the gap closes."""

from exchange.commands import Deposit, OpenAccount, PlaceOrder
from exchange.market.agents.arbitrage import STOCK_VALUE, Basis
from exchange.market.agents.makers import Maker
from exchange.market.market import House
from exchange.market.prices import FixedPrices
from exchange.market.sight import E8
from matching.types import Side, TimeInForce
from tests.exchange.market.stage import CONTRACT, Stage, small_venue

START = {"BTC": 50_000 * E8}
STOCK_MINOR = STOCK_VALUE * E8 // 50_000
LOT_MINOR = 100_000  # 0.001 BTC


def opened() -> tuple[Stage, Basis]:
    venue = small_venue("fixed")
    makers = [Maker(1, each, START["BTC"], E8) for each in venue.instruments]
    basis = Basis(venue.instruments[0], venue.instruments[1], START["BTC"])
    house = House(venue, FixedPrices(START), venue.start_ms, 1_000, makers, [basis])
    stage = Stage(venue, [house])
    stage.run(5)
    return stage, basis


def push(stage: Stage, side: Side, times: int) -> int:
    """Somebody with deep pockets moves the contract; the makers' lean makes the premium."""
    account_id = stage.send(OpenAccount(kind="user")).result_id
    stage.send(Deposit(account_id=account_id, wallet="perp", asset="USDT", amount_minor=10**16))
    for _ in range(times):
        wish = PlaceOrder(
            account_id=account_id,
            symbol=CONTRACT,
            side=side,
            lots=6_000,
            price_ticks=508_000 if side is Side.BUY else 492_000,
            tif=TimeInForce.IOC,
            wallet="perp",
        )
        assert stage.send(wish).reason is None
        stage.run(8)
    return account_id


def state(stage: Stage, basis: Basis) -> tuple[int, int]:
    """Its position in lots, and how many lots of coins it has more than its stock."""
    account = stage.engine.risk.accounts[stage.engine.risk.labels[basis.label]]
    held = account.positions.get(CONTRACT)
    surplus = account.minor("spot", "BTC") - STOCK_MINOR
    return held.lots if held else 0, surplus // LOT_MINOR


def test_nothing_is_done_while_there_is_no_premium() -> None:
    stage, basis = opened()
    stage.run(30)
    assert state(stage, basis) == (0, 0)


def test_a_dear_contract_is_sold_and_coins_are_bought() -> None:
    stage, basis = opened()
    push(stage, Side.BUY, 6)  # 36 BTC lean by 0.14 %, more than the 0.09 % it enters at.
    stage.run(120)
    lots, coins = state(stage, basis)
    assert lots < -500
    assert abs(lots + coins) <= 201  # Hedged, but for fees and one order under way.


def test_a_cheap_contract_is_bought_and_coins_are_sold() -> None:
    stage, basis = opened()
    push(stage, Side.SELL, 6)
    stage.run(120)
    lots, coins = state(stage, basis)
    assert lots > 500
    assert abs(lots + coins) <= 201


def test_the_position_is_closed_when_the_gap_has_closed() -> None:
    stage, basis = opened()
    account_id = push(stage, Side.BUY, 6)
    stage.run(60)
    assert state(stage, basis)[0] < -500
    lots = stage.engine.risk.accounts[account_id].positions[CONTRACT].lots
    for part in range(6):
        wish = PlaceOrder(
            account_id=account_id,
            symbol=CONTRACT,
            side=Side.SELL,
            lots=lots // 6 if part < 5 else lots - 5 * (lots // 6),
            price_ticks=492_000,
            tif=TimeInForce.IOC,
            wallet="perp",
        )
        stage.send(wish)
        stage.run(10)
    stage.run(300)
    held, coins = state(stage, basis)
    assert abs(held) < 200  # Less than one order.
    assert abs(coins) < 260
