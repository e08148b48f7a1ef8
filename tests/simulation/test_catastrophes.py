"""Catastrophes, scripted: a gap over every margin, and a cascade through a thin book (P13, P14)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import exchange.engine
from exchange.commands import (
    Continue,
    Deposit,
    FeedPrices,
    OpenAccount,
    PlaceOrder,
    SetIndexPrice,
    Tick,
)
from exchange.engine import Engine
from exchange.events import (
    AnyEvent,
    Deleveraged,
    FundCovered,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    Traded,
)
from matching.limits import WORK_PER_COMMAND_MAX
from matching.types import OrderType, Side, TimeInForce
from risk.ledger import INSURANCE
from risk.parameters import Venue
from tests.risk.stories import BTC_PERP, NO_FEES, net_minor, rich
from tests.story import FOREVER_MS, Story, answer, of, refusal, small_venue, standing, units


def test_a_gap_through_every_bankruptcy_price_with_an_empty_fund() -> None:
    """Nobody bids, and the fund has nothing: who is ahead closes where the others are bankrupt.

    Long A 1 at 50,000 on 2,500 and long B 2 at 50,000 on 10,000, both cross; short C 1 at 50,000
    on 10,000, short D 4 on 400,000. No fees. The index falls from 50,000 to 40,000 at once:

      A: 2,500 - 10,000 = -7,500, bankrupt at 50,000 - 2,500 = 47,500;
      B: 10,000 - 20,000 = -10,000, bankrupt at 50,000 - 10,000 / 2 = 45,000.

    Ratios to maintenance: A's is -7,500 / (0.4 % of 40,000 = 160) = -46.9, B's is
    -10,000 / (0.5 % of 80,000 - 50 = 350) = -28.6: A is the worse, and first.
    Scores: C 0.2 x 40,000 / (10,000 + 10,000) = 0.4, D 0.2 x 160,000 / (400,000 + 40,000) = 0.0727.

      A's 1 goes to C at 47,500: C makes 2,500 and has 12,500.
      B's 2 go to D at 45,000: D makes 2 x 5,000 = 10,000, keeps 2 with 20,000 of open profit, and
      has 410,000 + 20,000.

    Before and after: 2,500 + 10,000 + 10,000 + 400,000 + what those on the other side of D have.
    """
    story = Story(small_venue(insurance_minor=0, fees=NO_FEES))
    c = story.account("C", perp_USDT="10000")
    d = story.account("D", perp_USDT="400000")
    long_too = rich(story)
    a = story.account("A", perp_USDT="2500")
    b = story.account("B", perp_USDT="10000")
    for long, short, qty in ((a, c, "1"), (b, d, "2"), (long_too, d, "2")):
        story.sell(short, BTC_PERP, qty, "50000")
        story.buy(long, BTC_PERP, qty, "50000", leverage=20)
    everybody = story.engine.risk.accounts.values()
    before = sum(net_minor(story.engine, each) for each in everybody)
    events = story.index("BTC", "40000")
    told = [
        (each.account_id, each.lots, each.price_ticks, each.realised_minor)
        for each in of(events, Deleveraged)
    ]
    assert told == [
        (c, 1_000, 475_000, units("2500")),
        (d, 2_000, 450_000, units("10000")),
    ]
    assert [each.account_id for each in of(events, LiquidationStarted)] == [a, b]
    assert not of(events, Traded)
    assert not of(events, FundCovered)
    worth = {each: net_minor(story.engine, story.person(each)) for each in (a, b, c, d)}
    assert worth == {a: 0, b: 0, c: units("12500"), d: units("430000")}
    assert [story.person(each).lots(BTC_PERP) for each in (a, b, c, d)] == [0, 0, 0, -2_000]
    assert sum(net_minor(story.engine, each) for each in everybody) == before
    ended = of(events, LiquidationEnded)
    assert [(each.account_id, each.result, each.covered_minor) for each in ended] == [
        (a, "closed", 0),
        (b, "closed", 0),
    ]


# -- the cascade -------------------------------------------------------------------------------

PEOPLE = 1_000
FALLEN = 720


class Cascade:
    """A thousand longs of 0.1, each on a little more than the one before, and few bids below."""

    def __init__(self, venue: Venue) -> None:
        self.engine = Engine(venue)
        self.now_ms = venue.start_ms
        self.events: list[AnyEvent] = []
        self.commands = 0
        self.busiest = 0  # The most liquidations that one command ended.
        prices = {
            each.asset: each.start_price_e8 for each in venue.assets if each.asset != venue.quote
        }
        self.do(FeedPrices, feed=venue.feeds[0], prices_e8=prices, stale_ms=FOREVER_MS)
        self.now_ms += 1_000
        self.do(Tick)

    def do(self, kind: type, /, **fields: Any) -> list[AnyEvent]:
        """One command, and no more."""
        told = self.engine.apply(kind(seq=self.engine.seq + 1, time_ms=self.now_ms, **fields))
        self.events += told
        self.commands += 1
        return told

    def settle_down(self) -> None:
        """All that is pending, checked at every fifth command."""
        while self.engine.pending_work:
            self.busiest = max(self.busiest, len(of(self.do(Continue), LiquidationEnded)))
            if self.commands % 5 == 0:
                self.engine.check()
        self.engine.check()

    def open(self, money: str) -> int:
        """An account with money for contracts."""
        account = answer(self.do(OpenAccount, label="")).result_id
        amount = units(money)
        self.do(Deposit, account_id=account, wallet="perp", asset="USDT", amount_minor=amount)
        return account

    def order(self, account: int, side: Side, lots: int, ticks: int) -> None:
        """A limit order that is not refused."""
        told = self.do(
            PlaceOrder,
            account_id=account,
            symbol=BTC_PERP,
            side=side,
            type=OrderType.LIMIT,
            lots=lots,
            price_ticks=ticks,
            tif=TimeInForce.GTC,
            wallet="perp",
            leverage=20,
        )
        assert refusal(told) is None


def _fall(fund: str) -> Cascade:
    """A thousand hold 0.1 each at 50,000, on 258, 258, 259, 259 ... 757; then it is 44,000.

    (260.5 and more were paid in, 5,000 x 0.05 % = 2.5 is the fee.) A position has lost 600 and
    must keep 0.4 % of 4,400 = 17.6, so those with 617 or less fall: 2 x (617 - 258 + 1) = 720.
    The first is bankrupt at (5,000 - 258) / (0.1 x 0.9995) = 47,443.8, the last at 43,852; the
    book bids 30 coins in all, one at 47,000 and one at each 100 below, down to 44,100.
    """
    cascade = Cascade(small_venue(insurance_minor=units(fund)))
    maker = cascade.open("100000000")
    cascade.order(maker, Side.SELL, 100 * PEOPLE, 500_000)
    for number in range(PEOPLE):
        account = cascade.open(f"{260 + number // 2}.5")
        cascade.order(account, Side.BUY, 100, 500_000)
    bidder = cascade.open("100000000")
    for step in range(30):
        cascade.order(bidder, Side.BUY, 1_000, 470_000 - 1_000 * step)
    cascade.engine.check()
    cascade.do(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("44000"))
    cascade.settle_down()
    return cascade


def test_a_cascade_of_hundreds_ends_in_bounded_steps_with_nobody_below_zero() -> None:
    cascade = _fall("500000")
    risk = cascade.engine.risk
    started = [each.account_id for each in of(cascade.events, LiquidationStarted)]
    assert len(started) == FALLEN
    assert started == sorted(started), "the worst ratio comes first, then the older account"
    assert Counter(each.result for each in of(cascade.events, LiquidationEnded)) == {
        "closed": FALLEN
    }
    assert 1 < cascade.busiest <= WORK_PER_COMMAND_MAX
    for account in risk.accounts.values():
        assert account.minor("perp", "USDT") >= 0, account.id
        assert not account.liquidating


def test_i10_a_cascade_is_accounted_for_to_the_lot_and_to_the_unit() -> None:
    """Whoever falls has 100 lots: the book, the fund and the other side take them all. The fund
    changes by the fees it gets and by what it covers, and by nothing else."""
    cascade = _fall("500000")
    steps = of(cascade.events, LiquidationStepped)
    taken: Counter[str] = Counter()
    for each in steps:
        taken[each.step] += each.lots
    assert taken["sold"] + taken["fund"] + taken["adl"] == 100 * FALLEN
    assert (
        taken["sold"]
        == 30_000
        == sum(each.lots for each in of(cascade.events, Traded) if each.forced)
    )
    assert taken["adl"] == sum(each.lots for each in of(cascade.events, Deleveraged)) > 0
    house = cascade.engine.risk.accounts[INSURANCE]
    assert house.lots(BTC_PERP) == taken["fund"] > 0
    fees = sum(each.amount_minor for each in steps if each.step == "fee")
    covers = sum(each.paid_minor for each in of(cascade.events, FundCovered))
    assert fees > 0
    assert house.minor("perp", "USDT") == units("500000") + fees - covers


@pytest.mark.parametrize("budget", [17, 1_000_000])
def test_a_cascade_ends_the_same_however_it_is_cut(
    monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    cascade = _fall("500000")
    monkeypatch.setattr(exchange.engine, "WORK_PER_COMMAND_MAX", budget)
    other = _fall("500000")
    assert (other.commands > cascade.commands) is (budget < WORK_PER_COMMAND_MAX)
    assert _left(other.engine) == _left(cascade.engine)


def _left(engine: Engine) -> dict[str, Any]:
    """How a venue stands, but for how often it was told: each command tells its accounts their
    balances once, and everybody one difference of a book."""
    found = standing(engine)
    del found["depths"]
    for account in found["risk"]["accounts"]:
        del account["event_n"]
    return found
