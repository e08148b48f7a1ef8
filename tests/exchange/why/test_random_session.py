"""Reason trees of random sessions: every number of every tree is reckoned again and comes out."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from exchange.commands import (
    Borrow,
    CancelAll,
    PlaceOrder,
    Repay,
    SetIndexPrice,
    SetLeverage,
    SetMarginMode,
    Transfer,
)
from exchange.events import (
    Answered,
    AnyEvent,
    Filled,
    FundingCharged,
    FundingFixed,
    InterestCharged,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    MarginCalled,
)
from exchange.why.calls import call_tree
from exchange.why.charges import funding_tree, interest_tree, rate_tree
from exchange.why.fills import fill_tree
from exchange.why.liquidations import liquidation_tree
from exchange.why.rejects import reject_tree
from exchange.wire.why import WhySay
from matching.types import OrderType, Side
from tests.exchange.why.retracing import held, retrace
from tests.story import Story, units

SPOTS = ("BTC-USDT", "ETH-USDT")
PERPS = ("BTC-USDT-PERP", "ETH-USDT-PERP")
PRICES = {"BTC": 50_000, "ETH": 2_500}


class Session:
    """A few people who do anything at all, well or badly."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.story = Story()
        self.prices = dict(PRICES)
        self.people = [
            self.story.account(
                spot_USDT="20000", spot_BTC="1", perp_USDT="3000", margin_USDT="2000"
            )
            for _ in range(4)
        ]
        maker = self.story.account(spot_USDT="9000000", spot_BTC="100", perp_USDT="9000000")
        self.story.deposit(maker, "spot", "ETH", "1000")
        self.maker = maker

    def quote(self) -> None:
        """The maker's orders around the index, which others meet."""
        self.story.do(CancelAll, account_id=self.maker)
        for symbol in (*SPOTS, *PERPS):
            price = self.prices[symbol.split("-")[0]]
            for side, away in ((Side.BUY, -1), (Side.SELL, 1)):
                self.story.place(self.maker, side, symbol, "1", f"{price + away * price // 1000}")

    def act(self) -> None:
        who, draw, story = self.draw.choice(self.people), self.draw, self.story
        match draw.randrange(9):
            case 0 | 1 | 2 | 3:
                self.order(who)
            case 4:
                amount = units(str(draw.choice((100, 1000, 3000, 50_000))))
                story.do(Borrow, account_id=who, wallet="margin", asset="USDT", amount_minor=amount)
            case 5:
                leverage = draw.choice((1, 5, 10, 20, 50, 125, 500))
                story.do(SetLeverage, account_id=who, symbol=draw.choice(PERPS), leverage=leverage)
                story.do(
                    SetMarginMode,
                    account_id=who,
                    symbol=draw.choice(PERPS),
                    isolated=draw.random() < 0.5,
                )
            case 6:
                story.do(
                    Transfer,
                    account_id=who,
                    source=draw.choice(("spot", "perp", "margin")),
                    target=draw.choice(("spot", "perp", "margin")),
                    asset="USDT",
                    amount_minor=units(str(draw.choice((10, 500, 4000)))),
                )
            case 7:
                story.do(Repay, account_id=who, wallet="margin", asset="USDT")
            case _:
                base = draw.choice(("BTC", "ETH"))
                price = self.prices[base] * draw.choice((85, 93, 97, 101, 104, 110)) // 100
                self.prices[base] = price
                story.do(SetIndexPrice, base=base, quote="USDT", price_e8=units(str(price)))
                story.wait(1_000)

    def order(self, who: int) -> None:
        draw = self.draw
        symbol = draw.choice((*SPOTS, *PERPS))
        instrument = self.story.engine.instruments[symbol]
        price = self.prices[symbol.split("-")[0]] * draw.choice((50, 98, 100, 102, 400)) // 100
        lots = instrument.lots(draw.choice(("0.001", "0.01", "0.07", "0.5", "3")))
        assert isinstance(lots, int)
        is_market = draw.random() < 0.5
        spot = symbol in SPOTS
        self.story.do(
            PlaceOrder,
            account_id=who,
            symbol=symbol,
            side=draw.choice((Side.BUY, Side.SELL)),
            type=OrderType.MARKET if is_market else OrderType.LIMIT,
            lots=draw.choice((lots, lots, instrument.lots_max + 1)),
            price_ticks=0 if is_market else units(str(price)) // instrument.tick_e8,
            wallet=draw.choice(("spot", "margin")) if spot else "perp",
            side_effect=draw.choice((0, 0, 3)) if spot else 0,
            post_only=not is_market and draw.random() < 0.2,
            reduce_only=not spot and draw.random() < 0.2,
        )

    def run(self, steps: int) -> list[AnyEvent]:
        for step in range(steps):
            if step % 6 == 0:
                self.quote()
            if step == steps // 2:
                self.story.wait(8 * 3_600_000)
            self.act()
        return self.story.events


def trees(story: Story) -> list[WhySay]:
    """The tree of everything that can be asked about."""
    instruments = story.engine.instruments
    rates = {
        (event.symbol, event.due_ms): event
        for event in story.events
        if isinstance(event, FundingFixed)
    }
    made: list[WhySay] = [rate_tree(event) for event in rates.values()]
    for event in story.events:
        if isinstance(event, Filled):
            made.append(fill_tree(event, instruments[event.symbol]))
        elif isinstance(event, InterestCharged):
            made.append(interest_tree(event))
        elif isinstance(event, FundingCharged):
            rate = rates[event.symbol, event.due_ms]
            made.append(funding_tree(event, instruments[event.symbol], rate))
        elif isinstance(event, MarginCalled):
            made.append(call_tree(event, "USDT"))
        elif isinstance(event, LiquidationStarted):
            made.append(liquidation_tree(event, _steps(story, event), instruments, "USDT"))
        elif isinstance(event, Answered) and event.reason is not None:
            made.append(reject_tree(event, instruments, "USDT"))
    return made


def _steps(
    story: Story, started: LiquidationStarted
) -> list[LiquidationStepped | LiquidationEnded]:
    found = []
    for event in story.events:
        if (
            isinstance(event, LiquidationStepped | LiquidationEnded)
            and (event.account_id, event.scope) == (started.account_id, started.scope)
            and event.n > started.n
        ):
            found.append(event)
            if isinstance(event, LiquidationEnded):
                break
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_number_of_every_tree_can_be_reckoned_again(seed: int) -> None:
    session = Session(seed)
    session.run(240)
    made = trees(session.story)
    assert sum(retrace(tree) for tree in made) > 300
    kinds = Counter(tree.kind for tree in made)
    wanted = {"fill", "reject", "interest", "funding", "funding_rate", "liquidation"}
    assert wanted <= kinds.keys(), kinds
    for tree in made:
        if tree.kind in ("reject", "liquidation"):
            assert held(tree), tree


def test_a_tree_that_lies_is_caught() -> None:
    """The reader of trees does see a wrong number: else it would prove nothing."""
    session = Session(1)
    session.run(40)
    tree = next(tree for tree in trees(session.story) if tree.kind == "fill")
    retrace(tree)
    tree.steps[-1].value += "1"
    with pytest.raises(AssertionError):
        retrace(tree)
