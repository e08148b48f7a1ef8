"""Tests of auto-deleveraging: the score, the ranking in slices, and the trades (P14)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import exchange.engine
from exchange.audit import deficits
from exchange.commands import (
    AdjustPositionMargin,
    Continue,
    Deposit,
    FeedPrices,
    PlaceOrder,
    SetIndexPrice,
    SetLeverage,
    SetMarginMode,
)
from exchange.events import (
    AnyEvent,
    Deleveraged,
    Filled,
    LedgerPosted,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    OrderChanged,
    Traded,
)
from matching.reasons import Reason
from matching.types import Side, Status
from risk.account import Job
from risk.adl import adl_rank, leg_score, score
from risk.ledger import INSURANCE, SOCIALIZED_LOSS
from risk.liquidation import take_over
from risk.parameters import Venue
from tests.risk.stories import BTC_PERP, ETH_PERP, NO_FEES, net_minor, rich
from tests.story import FOREVER_MS, Story, again, of, refusal, small_venue, standing, units
from tests.vectors import agrees, exact, vectors


def poor_venue(**changes: Any) -> Venue:
    """Nobody pays a fee, and the insurance fund has nothing."""
    return small_venue(**({"insurance_minor": 0, "fees": NO_FEES} | changes))


@pytest.fixture
def story() -> Story:
    return Story(poor_venue())


def trade(story: Story, long: int, short: int, qty: str, price: str) -> None:
    """Two accounts trade with each other."""
    story.sell(short, BTC_PERP, qty, price)
    story.buy(long, BTC_PERP, qty, price)
    assert not story.person(short).orders
    assert not story.person(long).orders


def _lots(story: Story, *accounts: int) -> list[int]:
    return [story.person(account).lots(BTC_PERP) for account in accounts]


def victim(story: Story, qty: str, short: int, beside: int = 0) -> int:
    """Long at 50,000 on 2,500 of isolated margin a coin: bankrupt at 47,500 without fees."""
    account = story.account("victim", perp_USDT=str(int(Fraction(qty) * 2_500) + beside))
    story.ok(SetMarginMode, account_id=account, symbol=BTC_PERP, isolated=True)
    story.sell(short, BTC_PERP, qty, "50000")
    assert refusal(story.buy(account, BTC_PERP, qty, "50000", leverage=20)) is None
    return account


# -- the score ---------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors(["adl_return"], on="function"))
def test_v70_the_return_is_measured_by_the_entry(vector: Any) -> None:
    """At a leverage of 1 the score is the return itself."""
    entry, mark = (exact(vector["inputs"][name]) for name in ("entry_price", "mark_price"))
    profit = mark - entry if vector["inputs"]["side"] == "LONG" else entry - mark
    found = score(entry, profit, 1, 1)
    assert agrees(Fraction(found.numerator, found.denominator), vector["expected"]["return"])


@pytest.mark.parametrize("vector", vectors(["adl_ranking"], on="function"))
def test_v71_profit_counts_times_leverage_and_loss_by_leverage(vector: Any) -> None:
    mark = exact(vector["inputs"]["mark_price"])
    found = {}
    for each in vector["inputs"]["positions"]:
        entry, margin = exact(each["entry_price"]), exact(each["margin"])
        found[each["account"]] = score(entry, mark - entry, mark, margin + mark - entry)
    for name, expected in vector["expected"]["scores"].items():
        assert agrees(Fraction(found[name].numerator, found[name].denominator), expected)
    ranked = sorted(found, key=found.__getitem__, reverse=True)
    assert ranked == vector["expected"]["order"]


def _v71(story: Story) -> dict[str, int]:
    """The longs of V71 on the engine, isolated, at a mark of 50,000."""
    other = rich(story)
    made: dict[str, int] = {}
    for name, price, leverage in (("A", "40000", 10), ("B", "48000", 50), ("C", "52000", 5)):
        story.index("BTC", price)
        made[name] = story.account(name, perp_USDT="20000")
        story.ok(SetMarginMode, account_id=made[name], symbol=BTC_PERP, isolated=True)
        story.sell(other, BTC_PERP, "1", price)
        story.buy(made[name], BTC_PERP, "1", price, leverage=leverage)
    story.index("BTC", "50000")
    return made


def test_v71_on_the_engine(story: Story) -> None:
    """A 4,000 of margin at 10x, B 960 at 50x, C 10,400 at 5x."""
    risk = story.engine.risk
    found = {}
    for name, account in _v71(story).items():
        each = leg_score(risk, story.person(account), BTC_PERP)
        assert each is not None
        found[name] = each.floor_e12
    # Rounded down: -0.006461538461538... becomes ...539.
    assert found == {"A": 892_857_142_857, "B": 703_828_828_828, "C": -6_461_538_462}


def test_p14_owners_are_told_their_fifth_of_the_side(story: Story) -> None:
    """Three longs: 5 - 0 x 5/3, 5 - 1 x 5/3 and 5 - 2 x 5/3, each rounded up."""
    made = _v71(story)
    risk = story.engine.risk
    ranks = {name: adl_rank(risk, story.person(each), BTC_PERP) for name, each in made.items()}
    assert ranks == {"A": 5, "B": 4, "C": 2}


# -- the trades --------------------------------------------------------------------------------


def _three_shorts(story: Story) -> tuple[int, int, int, int]:
    """A long of 1, and shorts at 50,000: 0.4 on 8,000, 0.4 on 4,000, and 0.6 on 30,000.

    At 46,000 their equity is 9,600, 5,600 and 32,400, their profit 8 % each: the scores are
    0.08 x 18,400 / 9,600 = 0.1533..., 0.08 x 18,400 / 5,600 = 0.2628... and
    0.08 x 27,600 / 32,400 = 0.0681...
    """
    first = story.account("first", perp_USDT="8000")
    second = story.account("second", perp_USDT="4000")
    third = story.account("third", perp_USDT="30000")
    gone = rich(story)
    long = victim(story, "1", gone)
    story.sell(first, BTC_PERP, "0.4", "50000")
    story.sell(second, BTC_PERP, "0.4", "50000")
    story.sell(third, BTC_PERP, "0.2", "50000")
    story.buy(gone, BTC_PERP, "1", "50000")
    extra = rich(story)
    story.sell(third, BTC_PERP, "0.4", "50000")
    story.buy(extra, BTC_PERP, "0.4", "50000")
    return long, first, second, third


def test_p14_the_highest_score_goes_first_and_the_last_only_in_part(story: Story) -> None:
    long, first, second, third = _three_shorts(story)
    events = story.index("BTC", "46000")
    assert _lots(story, long, first, second, third) == [0, 0, 0, -400]
    told = of(events, Deleveraged)
    assert [each.account_id for each in told] == [second, first, third]
    assert [(each.rank, each.lots) for each in told] == [(1, 400), (2, 400), (3, 200)]
    assert {(each.side, each.price_ticks) for each in told} == {(Side.BUY, 475_000)}
    # 0.08 x 18,400 / 5,600
    assert told[0].score_e12 == 262_857_142_857
    # 0.4 x (50,000 - 47,500) = 1,000; nothing is charged.
    assert told[0].realised_minor == units("1000")
    assert story.person(second).minor("perp", "USDT") == units("5000")


def test_i10_the_deleveraged_lots_are_exactly_those_that_nobody_took(story: Story) -> None:
    """0.3 are bid above the bankruptcy price, 0.7 are not."""
    long, *_ = _three_shorts(story)
    story.buy(rich(story), BTC_PERP, "0.3", "47600")
    events = story.index("BTC", "46000")
    assert sum(each.lots for each in of(events, Deleveraged)) == 700
    assert sum(each.lots for each in of(events, Traded)) == 300
    steps = [(each.step, each.lots) for each in of(events, LiquidationStepped)]
    assert [lots for step, lots in steps if step == "adl"] == [400, 300]
    assert ("sold", 300) in steps
    assert _lots(story, long) == [0]


def test_v46_without_a_fee_the_bankruptcy_price_leaves_nothing(story: Story) -> None:
    """Long 1 at 50,000 on 2,500: 47,500. The margin is gone to the unit, and it is zero-sum."""
    long, *others = _three_shorts(story)
    risk = story.engine.risk
    before = sum(net_minor(story.engine, each) for each in risk.accounts.values())
    events = story.index("BTC", "46000")
    assert net_minor(story.engine, story.person(long)) == 0
    assert sum(net_minor(story.engine, each) for each in risk.accounts.values()) == before
    assert all(net_minor(story.engine, story.person(each)) > 0 for each in others)
    (ended,) = of(events, LiquidationEnded)
    assert (ended.result, ended.covered_minor) == ("closed", 0)


def test_p14_the_counterparty_trades_without_the_book_and_pays_no_fee() -> None:
    story = Story(poor_venue(fees=small_venue().fees))
    short = rich(story)
    victim(story, "1", short, beside=100)
    before = story.person(short).minor("perp", "USDT")
    events = story.index("BTC", "46000")
    (told,) = of(events, Deleveraged)
    assert not of(events, Filled)
    gained = story.person(short).minor("perp", "USDT") - before
    assert gained == told.realised_minor
    (posted,) = [each for each in of(events, LedgerPosted) if each.account_id == short]
    assert (posted.reason, posted.change_minor) == ("adl", gained)


def test_p14_their_orders_on_the_symbol_are_cancelled_first(story: Story) -> None:
    """Reduce-only ones too (P15); those on other symbols and on spot stay."""
    short = rich(story)
    victim(story, "1", short)
    story.buy(short, BTC_PERP, "0.5", "30000", reduce_only=True)
    story.sell(short, BTC_PERP, "0.5", "60000")
    story.buy(short, "ETH-USDT-PERP", "1", "2000")
    events = story.index("BTC", "46000")
    ended = [each.symbol for each in of(events, OrderChanged) if each.status is Status.CANCELLED]
    assert ended == [BTC_PERP, BTC_PERP]
    assert [each.symbol for each in story.person(short).orders.values()] == ["ETH-USDT-PERP"]


def _short_with_a_loss_elsewhere(story: Story) -> tuple[int, int]:
    """A long of 1 BTC, and a short of it on 3,000 who is long 20 ETH at 2,500 as well.

    At 46,000 and 2,200 the short has 3,000 + 4,000 - 6,000 = 1,000 and must keep 0.4 % of 90,000,
    which is 360. Closing at 47,500 takes 1,500 a coin from the other 640 and frees 184 of what
    must be kept: 640 / 1,316 = 0.4863..., so 0.486 at the most.
    """
    short = story.account("both ways", perp_USDT="3000")
    gone = rich(story)
    long = victim(story, "1", gone)
    story.sell(short, BTC_PERP, "1", "50000", leverage=100)
    story.buy(gone, BTC_PERP, "1", "50000")
    story.buy(short, ETH_PERP, "20", "2500", leverage=100)
    story.sell(gone, ETH_PERP, "20", "2500")
    return long, short


def fall(story: Story, btc: str, eth: str) -> list[AnyEvent]:
    """Both prices at once, at the next grid point."""
    prices = {"BTC": units(btc), "ETH": units(eth)}
    feed = story.venue.feeds[0]
    story.do(FeedPrices, feed=feed, prices_e8=prices, stale_ms=FOREVER_MS)
    return story.wait(1_000)


def test_p14_nobody_gives_more_than_leaves_them_something(story: Story) -> None:
    """The other 0.514 come from who ranks lower."""
    long, short = _short_with_a_loss_elsewhere(story)
    low = rich(story)
    trade(story, rich(story), low, "2", "50000")
    events = fall(story, "46000", "2200")
    told = [(each.account_id, each.lots) for each in of(events, Deleveraged)]
    assert told == [(short, 486), (low, 514)]
    # 3,000 + 0.486 x 2,500, then 0.514 x 4,000 - 6,000 of open profit.
    assert net_minor(story.engine, story.person(short)) == units("271")
    assert not of(story.wait(1_000), LiquidationStarted)
    assert _lots(story, long) == [0]


def test_p13_8_what_nobody_takes_waits_in_liquidation_and_is_tried_again(story: Story) -> None:
    """0.514 find nobody. The scope stays locked and is tried at each grid point, until the other
    side can: at ETH 2,300 the short has 2,271 for 0.514 x 1,500 = 771, and ten grid points after
    the last search that is seen."""
    long, short = _short_with_a_loss_elsewhere(story)
    person = story.person(long)
    events = fall(story, "46000", "2200")
    assert [each.lots for each in of(events, Deleveraged)] == [486]
    assert not of(events, LiquidationEnded)
    assert _lots(story, long) == [514]
    assert list(person.liquidating) == [f"perp/{BTC_PERP}"]
    assert person.liquidating[f"perp/{BTC_PERP}"].round == 1
    assert refusal(story.buy(long, BTC_PERP, "0.1", "46000")) is Reason.ACCOUNT_LIQUIDATING
    for wish, fields in (
        (SetLeverage, {"leverage": 5}),
        (SetMarginMode, {"isolated": False}),
        (AdjustPositionMargin, {"amount_minor": 1}),
    ):
        told = story.do(wish, account_id=long, symbol=BTC_PERP, **fields)
        assert refusal(told) is Reason.ACCOUNT_LIQUIDATING
    assert not story.engine.pending_work
    story.wait(1_000)
    assert person.liquidating[f"perp/{BTC_PERP}"].round == 2
    again(story.engine).check()
    assert not of(fall(story, "46000", "2300"), Deleveraged)
    events = story.wait(8_000)
    assert [(each.account_id, each.lots) for each in of(events, Deleveraged)] == [(short, 514)]
    (ended,) = of(events, LiquidationEnded)
    assert (ended.account_id, ended.result) == (long, "closed")
    assert not person.liquidating
    assert refusal(story.buy(long, BTC_PERP, "0.1", "46000")) is Reason.INSUFFICIENT_MARGIN


def test_p13_8_a_venue_may_let_everybody_bear_what_nobody_takes() -> None:
    """0.514 at 47,500 go to the account of its own name, which has lost 771 at the mark."""
    story = Story(poor_venue(socialized_loss=True))
    long, _ = _short_with_a_loss_elsewhere(story)
    events = fall(story, "46000", "2200")
    assert _lots(story, long) == [0]
    steps = [(each.step, each.lots) for each in of(events, LiquidationStepped)]
    assert steps == [("adl", 486), ("socialized", 514)]
    house = story.engine.risk.accounts[SOCIALIZED_LOSS]
    assert house.lots(BTC_PERP) == 514
    assert net_minor(story.engine, house) == -units("771")
    story.buy(rich(story), BTC_PERP, "1", "46000")
    story.wait(10_000)
    assert not house.positions
    assert story.engine.risk.ledger.house_totals()["USDT"]["socialized_loss"] == -units("771")
    assert deficits(story.engine) == {"socialized_loss:USDT": -units("771")}


def test_p14_an_inverse_contract_is_given_up_in_its_coin() -> None:
    """Long 6,000 contracts of 100 USD at 50,000 on 0.6 BTC: 12 BTC, bankrupt at
    600,000 / (12 + 0.6) = 47,619.047..., up to 47,619.1. The fund has 10 BTC: 10 x 476.191 are
    4,761 contracts, and 1,239 are the short's. They cost 2.478 and come to
    123,900 / 47,619.1 = 2.6018971379..., so the short makes 0.12389714 BTC.
    """
    contract = "BTC-USD-PERP"
    story = Story(poor_venue(symbols=("BTC-USDT", contract)))
    long = story.account("long", **{"perp:BTC_BTC": "0.6"})
    short = story.account("short", **{"perp:BTC_BTC": "10"})
    assert refusal(story.sell(short, contract, "6000", "50000")) is None
    assert refusal(story.buy(long, contract, "6000", "50000", leverage=50)) is None
    events = story.index("BTC", "40000")
    steps = [(each.step, each.lots, each.price_ticks) for each in of(events, LiquidationStepped)]
    assert steps == [("fund", 4_761, 476_191), ("adl", 1_239, 476_191)]
    (told,) = of(events, Deleveraged)
    assert (told.account_id, told.asset, told.realised_minor) == (short, "BTC", 12_389_714)
    assert story.person(short).lots(contract) == -4_761
    # The tick left 0.0000137... of 0.6: nobody is below zero.
    assert 0 <= story.person(long).minor("perp:BTC", "BTC") < units("0.0001")


# -- slices ------------------------------------------------------------------------------------


def _crowd(story: Story) -> list[int]:
    """A long of 3 that goes bankrupt, and ten shorts of 0.5 with 3,000, 5,000, 7,000 and so on."""
    gone = rich(story)
    long = victim(story, "3", gone)
    crowd = [story.account(f"{n}", perp_USDT=str(2_000 * n + 1_000)) for n in range(1, 11)]
    for account in crowd:
        story.sell(account, BTC_PERP, "0.5", "50000")
        story.buy(gone, BTC_PERP, "0.5", "50000")
    return [long, gone, *crowd]


def _started(monkeypatch: pytest.MonkeyPatch, budget: int) -> tuple[Story, list[int]]:
    """The crowd after the price has fallen, with as much done as the budget lets one command."""
    story = Story(poor_venue())
    people = _crowd(story)
    monkeypatch.setattr(exchange.engine, "WORK_PER_COMMAND_MAX", budget)
    story._apply(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("46000"))
    return story, people


def _left(story: Story) -> Any:
    """How the venue stands, but for how many events its accounts were told: each command tells
    them their balances once."""
    found = standing(story.engine)
    for account in found["risk"]["accounts"]:
        del account["event_n"]
    return found


def _go_on(story: Story) -> int:
    """All that is pending, command by command; how many commands it took."""
    count = 0
    while story.engine.pending_work:
        story._apply(Continue)
        count += 1
    return count


@pytest.mark.parametrize("budget", [1, 2, 3, 7])
def test_p14_ranking_in_slices_is_ranking_everybody_at_once(
    monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    whole, people = _started(monkeypatch, 10_000)
    assert not whole.engine.pending_work
    sliced, _ = _started(monkeypatch, budget)
    assert sliced.engine.pending_work
    assert _go_on(sliced) >= 20 // budget
    assert _left(sliced) == _left(whole)
    told = of(whole.events, Deleveraged)
    # Less money, more leverage: the poorest first.  0.5 each are six of them.
    assert [each.account_id for each in told] == people[2:8]
    assert [(each.account_id, each.lots) for each in of(sliced.events, Deleveraged)] == [
        (each.account_id, each.lots) for each in told
    ]


def test_a_restart_between_two_slices_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = _started(monkeypatch, 10_000)
    sliced, _ = _started(monkeypatch, 2)
    seen = set()
    while sliced.engine.pending_work:
        job = sliced.engine.risk.deleveraging
        seen.add(job and bool(job.rank))
        sliced.engine = again(sliced.engine)
        sliced._apply(Continue)
    assert {True, False} <= seen  # In the middle of ranking, and of trading.
    assert _left(sliced) == _left(whole)


def test_p14_who_changes_between_two_slices_is_ranked_as_they_are_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who would soon be next pays money in, and is last. In the meantime nothing can be done with
    the position that is given up."""
    story, people = _started(monkeypatch, 2)
    while not of(story.events, Deleveraged):
        story._apply(Continue)
    told = of(story.events, Deleveraged)
    done = len(told)
    left = [each for each in people[2:] if each not in {one.account_id for one in told}]
    story._apply(
        Deposit, account_id=left[2], wallet="perp", asset="USDT", amount_minor=units("1000000")
    )
    events = story._apply(
        PlaceOrder,
        account_id=people[0],
        symbol=BTC_PERP,
        side=Side.SELL,
        lots=1,
        wallet="perp",
        price_ticks=475_000,
    )
    assert refusal(events) is Reason.ACCOUNT_LIQUIDATING
    _go_on(story)
    rest = [each.account_id for each in of(story.events, Deleveraged)][done:]
    assert rest == [each for each in left if each != left[2]][: 6 - done]


def test_an_administrators_price_starts_the_search_anew_at_the_new_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At 49,000 the long is safe again, and nobody else is asked for anything."""
    story, people = _started(monkeypatch, 3)
    while story.engine.risk.deleveraging is None:
        story._apply(Continue)
    story._apply(SetIndexPrice, base="BTC", quote="USDT", price_e8=units("49000"))
    _go_on(story)
    assert not story.person(people[0]).liquidating
    assert of(story.events, LiquidationEnded)[-1].result == "restored"
    assert _lots(story, people[0]) == [3_000]
    assert not of(story.events, Deleveraged)


# -- who is left out ---------------------------------------------------------------------------


def test_p14_the_house_and_who_is_in_liquidation_are_not_ranked(story: Story) -> None:
    long, first, second, third = _three_shorts(story)
    story.person(second).liquidating["perp"] = Job()
    take_over(
        story.engine.risk,
        story.person(first),
        story.engine.risk.accounts[INSURANCE],
        BTC_PERP,
        -400,
        500_000,
    )
    events = story.index("BTC", "46000")
    assert [each.account_id for each in of(events, Deleveraged)] == [third]
    # The fund's own short is the other side as well: it may always make that smaller.
    steps = [(each.step, each.lots) for each in of(events, LiquidationStepped)]
    assert steps == [("fund", 400), ("adl", 600)]
    assert _lots(story, long) == [0]


def test_t30_who_is_flat_by_then_is_not_chosen(story: Story) -> None:
    long, first, second, third = _three_shorts(story)
    trade(story, second, rich(story), "0.4", "50000")
    events = story.index("BTC", "46000")
    assert second not in [each.account_id for each in of(events, Deleveraged)]
    assert _lots(story, long, first, second) == [0, 0, 0]
    assert of(events, Deleveraged)[0].account_id == first
    assert _lots(story, third)[0] > -600
