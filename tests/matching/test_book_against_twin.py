"""The book agrees with its naive twin, whatever is asked of both."""

from __future__ import annotations

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from matching.book import Book, Happened
from matching.depth import Depth, fold
from matching.reasons import Reason
from matching.types import Fill, Happening, Order, OrderType, SelfTrade, Side, TimeInForce
from tests.matching.stories import expire_due
from tests.naive.naive_book import NaiveBook, NaiveOrder

WHO = st.tuples(st.sampled_from(Side), st.integers(1, 3), st.sampled_from(SelfTrade))
PRICES = st.integers(1, 9)
LOTS = st.integers(1, 6)
TAKEN = st.one_of(LOTS, st.integers(1, 20))
MAKERS = st.lists(
    st.tuples(
        *(st.sampled_from(Side), st.integers(1, 3), st.integers(0, 4), LOTS),
        st.one_of(st.just(0), st.integers(1, 3)),  # How much of it is shown at a time.
    ),
    max_size=9,
)
TIFS = st.sampled_from(TimeInForce)
BOUNDS = st.tuples(  # The worst price to execute at, and how many fills there may be.
    st.one_of(st.just(0), PRICES), st.sampled_from((1_000, 1_000, 3, 2, 1))
)
BACK = st.integers(0, 40)
ALIKE = ("open_lots", "filled_lots", "filled_units", "prevented_lots")


def as_twin_says_it(happened: Happened) -> list[tuple]:
    said: list[tuple] = []
    for one in happened:
        who = (one.maker.order_id, one.taker.order_id, one.price_ticks, one.lots)
        if isinstance(one, Fill):
            said.append(("fill", *who))
        else:
            lost = (one.maker_lots, one.taker_lots)
            said.append(("prevent", *who, *lost, one.maker_expired, one.taker_expired))
    return said


class BookAgreesWithItsNaiveTwin(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.book, self.twin = Book(), NaiveBook()
        self.depth = Depth(self.book)
        self.told: dict[Side, dict[int, int]] = {side: {} for side in Side}
        self.placed: list[tuple[Order, NaiveOrder]] = []
        self.now_ms = 0

    def send(self, order: Order, worst: int, room: int) -> None:
        its = NaiveOrder.of(order)
        self.placed.append((order, its))
        foreseen = self.book.cost_of_market(order, worst, room)
        happened = self.book.place(order, worst, room)
        assert as_twin_says_it(happened) == self.twin.place(its, worst, room)
        if not order.post_only and order.tif is not TimeInForce.FOK:
            assert foreseen == (order.filled_lots, order.filled_units)

    def order(self, who, kind: OrderType, price: int, lots: int, tif: TimeInForce) -> Order:
        side, account, stp = who
        return Order(len(self.placed) + 1, account, "X", side, kind, price, lots, tif, stp)

    @initialize(makers=MAKERS)
    def open_market(self, makers) -> None:
        self.stock(makers)

    @rule(makers=MAKERS)
    def stock(self, makers) -> None:
        """Rules are drawn alike; without this one the book would mostly be empty."""
        for side, account, distance, lots, shown in makers:
            price = 5 + distance if side is Side.SELL else 5 - distance
            who = (side, account, SelfTrade.EXPIRE_MAKER)
            order = self.order(who, OrderType.LIMIT, price, lots, TimeInForce.GTC)
            order.iceberg_lots = min(shown, lots)
            self.send(order, 0, 1_000)

    @rule(who=WHO, price=PRICES, lots=TAKEN, shown=LOTS, bounds=BOUNDS)
    def iceberg(self, who, price, lots, shown, bounds) -> None:
        order = self.order(who, OrderType.LIMIT, price, lots, TimeInForce.GTC)
        order.iceberg_lots = min(shown, lots)
        self.send(order, *bounds)

    @rule(who=WHO, price=PRICES, lots=TAKEN, tif=TIFS, post_only=st.booleans(), bounds=BOUNDS)
    def limit(self, who, price, lots, tif, post_only, bounds) -> None:
        order = self.order(who, OrderType.LIMIT, price, lots, tif)
        order.post_only = post_only and tif in (TimeInForce.GTC, TimeInForce.GTD)
        order.expire_ms = self.now_ms + lots if tif is TimeInForce.GTD else 0
        self.send(order, *bounds)

    @rule(who=WHO, lots=TAKEN, bounds=BOUNDS)
    def market(self, who, lots, bounds) -> None:
        self.send(self.order(who, OrderType.MARKET, 0, lots, TimeInForce.IOC), *bounds)

    @rule(who=WHO, units=st.integers(1, 120), bounds=BOUNDS)
    def market_by_amount(self, who, units, bounds) -> None:
        order = self.order(who, OrderType.MARKET, 0, 0, TimeInForce.IOC)
        order.quote_units = units
        self.send(order, *bounds)
        assert order.filled_units <= units

    def id_of(self, back: int) -> int:
        """An id placed a while ago, or now and then one that never was."""
        return max(0, len(self.placed) - back)

    @rule(back=BACK)
    def cancel(self, back) -> None:
        order_id = self.id_of(back)
        mine = self.book.cancel(order_id, Happening.CANCEL, Reason.CANCELLED_BY_USER)
        assert (mine is not None) is self.twin.cancel(order_id)

    @rule(back=BACK, lots=LOTS)
    def reduce(self, back, lots) -> None:
        order_id = self.id_of(back)
        mine = self.book.reduce(order_id, lots)
        assert (mine.name if isinstance(mine, Reason) else None) == self.twin.reduce(order_id, lots)

    @rule(wait_ms=st.integers(0, 5), limit=st.integers(1, 3))
    def let_time_pass(self, wait_ms, limit) -> None:
        self.now_ms += wait_ms
        mine = expire_due(self.book, self.now_ms, limit)
        assert [order.order_id for order in mine] == self.twin.expire_due(self.now_ms, limit)

    @rule()
    def remember_and_forget(self) -> None:
        state = self.book.state()
        again = Book.restore(state)
        assert again.state() == state
        again.check()
        self.book = again  # From here on it must answer as the first one would have.
        self.depth = Depth(again, self.depth.last_id)
        self.placed = [(again.orders.get(mine.order_id, mine), its) for mine, its in self.placed]

    @rule()
    def tell_depth(self) -> None:
        difference = self.depth.difference()
        if difference is not None:
            levels = len(difference.bids) + len(difference.asks)
            assert difference.last_id - difference.first_id + 1 == levels
            fold(self.told[Side.BUY], difference.bids)
            fold(self.told[Side.SELL], difference.asks)
        assert sorted(self.told[Side.BUY].items(), reverse=True) == self.twin.depth(Side.BUY)
        assert sorted(self.told[Side.SELL].items()) == self.twin.depth(Side.SELL)

    @invariant()
    def holds(self) -> None:
        self.book.check()
        for side in Side:
            assert self.book.levels(side, 99) == self.twin.depth(side)
            for ticks, _ in self.twin.depth(side):
                line = self.book.queue(side, ticks)
                assert [order.order_id for order in line] == self.twin.queue(side, ticks)
        for mine, its in self.placed:
            assert mine.status.name == its.status, (mine, its)
            assert (mine.reason.name if mine.reason else None) == its.reason, (mine, its)
            assert [getattr(mine, name) for name in ALIKE] == [getattr(its, n) for n in ALIKE]
            assert mine.closed_lots >= 0


# Not shrunk: a story has 30 steps at most, and shrinking one takes longer than a test may.
BookAgreesWithItsNaiveTwin.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestBookAgreesWithItsNaiveTwin = BookAgreesWithItsNaiveTwin.TestCase
