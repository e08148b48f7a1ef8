"""Accounts with hedge legs, coin wallets and loan tiers as their owners see them."""

from __future__ import annotations

from exchange.commands import Borrow, SetMarginMode, SetPositionMode
from exchange.events import PositionChanged
from exchange.views.accounts import Accounts
from exchange.views.board import Board
from exchange.wire import MarginSay, PositionSay
from matching.types import Side
from risk.account import LONG, SHORT
from tests.risk.stories import BTC_PERP, NO_FEES, rich
from tests.story import Story, of, small_venue, units

USD_PERP = "BTC-USD-PERP"
SYMBOLS = ("BTC-USDT", "BTC-USDT-PERP", USD_PERP)


def _story() -> Story:
    return Story(small_venue(symbols=SYMBOLS, fees=NO_FEES))


def _desk(story: Story) -> Accounts:
    board = Board(story.engine.instruments)
    board.restore(story.engine)
    return Accounts(story.engine, board)


def _inverse_long(story: Story, coins: str, *, isolated: bool = False) -> int:
    """An account that is long of 100 contracts of 100 USD at 50,000: 0.2 BTC."""
    one, other = (story.account(**{"perp:BTC_BTC": each}) for each in (coins, "1000"))
    if isolated:
        story.ok(SetMarginMode, account_id=one, symbol=USD_PERP, isolated=True)
    story.sell(other, USD_PERP, "100", "50000")
    story.buy(one, USD_PERP, "100", "50000")
    return one


def _margins(desk: Accounts, account_id: int) -> dict[str, MarginSay]:
    return {each.wallet: each for each in desk.account(account_id).margins}


def test_p1_an_inverse_position_is_told_in_its_coin() -> None:
    story = _story()
    one = _inverse_long(story, "0.5")
    story.index("BTC", "51000")
    desk = _desk(story)
    (held,) = desk.account(one).positions
    assert (held.symbol, held.settle, held.side, held.qty) == (USD_PERP, "BTC", "long", "100")
    mark = units(held.mark_price)
    # 10,000 USD at the mark; profit 10,000 x (1/50,000 - 1/mark) coins, rounded down.
    worth = 10_000 * 10**16 // mark
    assert units(held.notional) == worth
    assert units(held.unrealised) == (20_000_000 * mark - 10_000 * 10**16) // mark
    assert held.entry_price == "50000"
    # At 10x the position took 0.2 / 10 = 0.02 BTC.
    assert abs(float(held.roe or 0) - units(held.unrealised) / units("0.02")) < 1e-6
    assert (held.position_side, held.adl_rank) == ("both", 5)


def test_p5_a_coin_wallet_is_a_scope_counted_in_coin_and_valued_in_quote() -> None:
    story = _story()
    one = _inverse_long(story, "0.5")
    desk = _desk(story)
    margin = _margins(desk, one)["perp:BTC"]
    # Flat at 50,000: 0.5 BTC behind the position, of which 0.02 is its initial margin.
    assert (margin.settle, margin.balance, margin.assets) == ("BTC", "0.5", "25000")
    assert (margin.available, margin.withdrawable) == ("0.48", "0.48")
    (balance,) = desk.account(one).balances
    assert (balance.wallet, balance.total, balance.value) == ("perp:BTC", "0.5", "25000")
    (gauge,) = desk.gauges(one)
    assert (gauge.wallet, gauge.unrealised) == ("perp:BTC", "0")


def test_an_isolated_inverse_position_is_a_scope_of_its_own() -> None:
    story = _story()
    one = _inverse_long(story, "0.5", isolated=True)
    desk = _desk(story)
    margins = _margins(desk, one)
    assert sorted(margins) == [f"perp/{USD_PERP}", "perp:BTC"]
    leg = margins[f"perp/{USD_PERP}"]
    assert (leg.settle, leg.balance, leg.leverage) == ("BTC", "0.02", 10)
    (held,) = desk.account(one).positions
    assert (held.margin_mode, held.margin) == ("isolated", "0.02")
    assert held.liquidation_price is not None


def _hedger(story: Story, *, isolated: bool = False) -> int:
    """An account long of 0.2 and short of 0.1 of one contract."""
    one = story.account(perp_USDT="10000")
    story.ok(SetPositionMode, account_id=one, hedge=True)
    if isolated:
        story.ok(SetMarginMode, account_id=one, symbol=BTC_PERP, isolated=True)
    for side, leg, qty in ((Side.BUY, LONG, "0.2"), (Side.SELL, SHORT, "0.1")):
        story.place(rich(story), side.opposite, BTC_PERP, qty, "50000")
        story.place(one, side, BTC_PERP, qty, "50000", position_side=leg)
    return one


def _by_leg(held: list[PositionSay]) -> dict[str, tuple[str, str]]:
    return {each.position_side: (each.side, each.qty) for each in held}


def test_p2_both_legs_are_told_by_their_side() -> None:
    story = _story()
    one = _hedger(story)
    desk = _desk(story)
    told = desk.account(one)
    assert _by_leg(told.positions) == {"long": ("long", "0.200"), "short": ("short", "0.100")}
    assert told.settings["position_mode"] == "hedge"
    changed = [each for each in of(story.events, PositionChanged) if each.account_id == one]
    assert _by_leg([desk.position(each) for each in changed]) == _by_leg(told.positions)


def test_isolated_legs_are_two_scopes() -> None:
    story = _story()
    one = _hedger(story, isolated=True)
    wallets = [gauge.wallet for gauge in _desk(story).gauges(one)]
    assert wallets == ["perp", f"perp/{BTC_PERP}/LONG", f"perp/{BTC_PERP}/SHORT"]


def test_m4_an_isolated_wallet_tells_its_present_tier_and_the_next() -> None:
    story = _story()
    wallet = "isolated:BTC-USDT"
    one = story.account(**{f"{wallet}_USDT": "10000"})
    story.ok(Borrow, account_id=one, wallet=wallet, asset="USDT", amount_minor=units("5000"))
    margin = _margins(_desk(story), one)[wallet]
    first, second, *_ = story.engine.risk.spots["BTC-USDT"].isolated
    assert margin.loan_tier is not None
    assert margin.next_loan_tier is not None
    assert margin.loan_tier.leverage == margin.leverage == first.leverage
    assert margin.loan_tier.initial_level == margin.initial_level
    assert units(margin.loan_tier.quote_limit) == first.quote_limit_minor
    assert units(margin.next_loan_tier.quote_limit) == second.quote_limit_minor
    cross = story.account(margin_USDT="100")
    told = _margins(_desk(story), cross)["margin"]
    assert (told.loan_tier, told.next_loan_tier) == (None, None)
    assert told.initial_level == "1.5"  # At 3x (M5).
