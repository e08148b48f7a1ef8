"""Tests of the engine: numbers, client ids, cancelling, amending, the faucet."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.commands import (
    REFUSE_IF_OPEN,
    AmendOrder,
    Borrow,
    CancelAll,
    CancelOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    Repay,
    ResetAccount,
    SetSymbolState,
    Tick,
    Transfer,
)
from exchange.engine import DEPOSITED_MINOR_MAX, Engine
from exchange.events import (
    AnyEvent,
    OrderChanged,
    SymbolStateChanged,
    Traded,
)
from matching.limits import DUPLICATE_IDS_KEPT_MAX, ORDERS_PER_ACCOUNT_SYMBOL_MAX
from matching.reasons import Reason
from matching.types import Side
from tests.story import START_MS, Story, again, answer, of, refusal, small_venue, standing, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"
HOUR = 3_600_000


@pytest.fixture
def story() -> Story:
    return Story()


# -- commands in order ---------------------------------------------------------------------------


def test_a_command_out_of_its_number_is_a_bug(story: Story) -> None:
    for seq in (story.engine.seq, story.engine.seq + 2):
        with pytest.raises(AssertionError):
            story.engine.apply(Tick(seq=seq, time_ms=story.now_ms))


def test_i13_time_never_runs_back(story: Story) -> None:
    with pytest.raises(AssertionError, match="time never runs back"):
        story.engine.apply(Tick(seq=story.engine.seq + 1, time_ms=story.now_ms - 1))


def test_every_command_ends_with_its_answer_and_only_with_that(story: Story) -> None:
    someone = story.account(spot_USDT="1000")
    for events in (
        story.buy(someone, SPOT, "0.001", "50000"),
        story.buy(someone, SPOT, "9", "50000"),
        story.wait(HOUR),
    ):
        assert [event for event in events if event is answer(events)] == [events[-1]]


@pytest.mark.parametrize("account_id", [0, 3, 99, 100])
def test_nobody_acts_for_the_house_or_for_an_account_there_is_not(
    story: Story, account_id: int
) -> None:
    before = standing(story.engine)
    gift = story.do(
        Deposit, account_id=account_id, wallet="spot", asset="USDT", amount_minor=units("1")
    )
    assert refusal(gift) is Reason.UNKNOWN_ACCOUNT
    assert standing(story.engine) == before


# -- client ids ----------------------------------------------------------------------------------


def test_the_same_client_id_with_the_same_content_answers_the_first_result(story: Story) -> None:
    one = story.account(spot_USDT="1000")
    first = story.buy(one, SPOT, "0.001", "40000", client_id="a")
    before = standing(story.engine)
    second = story.buy(one, SPOT, "0.001", "40000", client_id="a")
    assert answer(second).repeated
    assert not answer(first).repeated
    assert answer(second).result_id == answer(first).result_id > 0
    assert second == [second[-1]]
    assert standing(story.engine) == before


@pytest.mark.parametrize(
    "other", [{"price_ticks": 4_000_001}, {"lots": 101}, {"side": Side.SELL}, {"post_only": True}]
)
def test_a_client_id_with_other_content_is_refused(story: Story, other: dict[str, Any]) -> None:
    one = story.account(spot_USDT="1000", spot_BTC="1")
    story.buy(one, SPOT, "0.001", "40000", client_id="a")
    before = standing(story.engine)
    more = {"lots": 100, "price_ticks": 4_000_000, "side": Side.BUY} | other
    second = story.do(PlaceOrder, account_id=one, symbol=SPOT, client_id="a", **more)
    assert refusal(second) is Reason.DUPLICATE_ID
    assert standing(story.engine) == before


def test_client_ids_are_an_accounts_own(story: Story) -> None:
    one, two = story.account(spot_USDT="1000"), story.account(spot_USDT="1000")
    ids = [
        answer(story.buy(each, SPOT, "0.001", "40000", client_id="a")).result_id
        for each in (one, two)
    ]
    assert ids[0] < ids[1]


def test_a_refused_command_leaves_its_client_id_free(story: Story) -> None:
    one = story.account()
    assert refusal(story.buy(one, SPOT, "0.001", "40000", client_id="a"))
    story.deposit(one, "spot", "USDT", "1000")
    assert refusal(story.buy(one, SPOT, "0.001", "40000", client_id="a")) is None


def test_loans_deposits_and_transfers_have_client_ids_too(story: Story) -> None:
    one = story.account(margin_USDT="1000", spot_USDT="1000")
    wishes: list[tuple[type, dict[str, Any]]] = [
        (Deposit, {"wallet": "spot", "asset": "USDT", "amount_minor": 5}),
        (Borrow, {"wallet": "margin", "asset": "USDT", "amount_minor": 500}),
        (Repay, {"wallet": "margin", "asset": "USDT", "amount_minor": 200}),
        (
            Transfer,
            {"source": "spot", "target": "perp", "asset": "USDT", "amount_minor": 7},
        ),
        (ResetAccount, {}),
    ]
    for number, (kind, fields) in enumerate(wishes):
        first = story.ok(kind, account_id=one, client_id=str(number), **fields)
        before = standing(story.engine)
        second = story.ok(kind, account_id=one, client_id=str(number), **fields)
        assert answer(second).repeated, kind
        assert answer(second).result_id == answer(first).result_id
        assert standing(story.engine) == before


def test_a_thousand_client_ids_are_kept_and_older_ones_count_as_new(story: Story) -> None:
    one = story.account()
    gift: dict[str, Any] = {
        "account_id": one,
        "wallet": "spot",
        "asset": "USDT",
        "amount_minor": 1,
    }
    for number in range(DUPLICATE_IDS_KEPT_MAX + 1):
        story.engine.apply(
            Deposit(seq=story.engine.seq + 1, time_ms=story.now_ms, client_id=str(number), **gift)
        )
    assert answer(story.ok(Deposit, client_id="1", **gift)).repeated
    assert not answer(story.ok(Deposit, client_id="0", **gift)).repeated
    assert story.person(one).minor("spot", "USDT") == DUPLICATE_IDS_KEPT_MAX + 2


def test_a_door_may_refuse_a_client_id_only_while_its_order_is_open(story: Story) -> None:
    one = story.account(spot_USDT="1000")

    def place() -> list[AnyEvent]:
        return story.buy(one, SPOT, "0.001", "40000", client_id="a", on_duplicate=REFUSE_IF_OPEN)

    first = place()
    assert refusal(place()) is Reason.DUPLICATE_ID
    story.ok(CancelOrder, account_id=one, client_id="a")
    second = place()
    assert answer(second).result_id > answer(first).result_id
    assert not answer(second).repeated


def test_client_ids_are_remembered_over_a_restart(story: Story) -> None:
    one = story.account(spot_USDT="1000")
    first = story.buy(one, SPOT, "0.001", "40000", client_id="a")
    story.engine = again(story.engine)
    second = story.buy(one, SPOT, "0.001", "40000", client_id="a")
    assert (answer(second).repeated, answer(second).result_id) == (True, answer(first).result_id)


def test_an_agent_that_opens_its_account_again_finds_the_first_one(story: Story) -> None:
    first = story.ok(OpenAccount, kind="agent", label="maker")
    story.engine = again(story.engine)
    second = story.ok(OpenAccount, kind="agent", label="maker")
    assert answer(second).result_id == answer(first).result_id
    assert answer(second).repeated
    other = story.ok(OpenAccount, kind="agent", label="taker")
    assert answer(other).result_id == answer(first).result_id + 1


# -- the faucet ----------------------------------------------------------------------------------


def test_no_balance_outgrows_64_bits_however_often_the_faucet_is_asked(story: Story) -> None:
    """2^62 units are 46,116,860,184 of an asset; the pool of BTC has 4,000 of them: 46 gifts of a
    thousand million fit, and the next does not."""
    one = story.account()
    gift = {"account_id": one, "wallet": "spot", "asset": "BTC", "amount_minor": 10**17}
    reasons = [refusal(story.do(Deposit, **gift)) for _ in range(47)]
    assert reasons == [None] * 46 + [Reason.FAUCET_LIMIT]
    assert DEPOSITED_MINOR_MAX < 1 << 63
    assert again(story.engine).digest() == story.engine.digest()


# -- cancelling ----------------------------------------------------------------------------------


def test_an_order_is_cancelled_by_either_of_its_names(story: Story) -> None:
    one = story.account(spot_USDT="1000")
    first = answer(story.buy(one, SPOT, "0.001", "40000")).result_id
    second = answer(story.buy(one, SPOT, "0.001", "40000", client_id="a")).result_id
    by_id = story.ok(CancelOrder, account_id=one, order_id=first)
    by_client_id = story.ok(CancelOrder, account_id=one, client_id="a")
    assert [answer(events).result_id for events in (by_id, by_client_id)] == [first, second]
    assert not story.person(one).orders
    assert story.person(one).free("spot", "USDT") == units("1000")


def test_nobody_cancels_or_amends_the_order_of_another(story: Story) -> None:
    one, two = story.account(spot_USDT="1000"), story.account(spot_USDT="1000")
    order = answer(story.buy(one, SPOT, "0.001", "40000", client_id="a")).result_id
    for kind, fields in (
        (CancelOrder, {"order_id": order}),
        (CancelOrder, {"client_id": "a"}),
        (AmendOrder, {"order_id": order, "price_ticks": 1}),
    ):
        assert refusal(story.do(kind, account_id=two, **fields)) is Reason.UNKNOWN_ORDER


def test_cancel_all_takes_one_symbol_or_all_of_them_oldest_first(story: Story) -> None:
    one, two = story.account(spot_USDT="1000"), story.account(spot_USDT="1000")
    story.buy(two, SPOT, "0.001", "40000")
    placed = [
        answer(story.buy(one, symbol, "0.01", price)).result_id
        for symbol, price in (("ETH-USDT", "2000"), (SPOT, "39000"), (SPOT, "40000"))
    ]
    some = story.ok(CancelAll, account_id=one, symbol=SPOT)
    assert [each.order_id for each in of(some, OrderChanged)] == placed[1:]
    assert answer(some).result_id == 2
    rest = story.ok(CancelAll, account_id=one)
    assert [each.order_id for each in of(rest, OrderChanged)] == placed[:1]
    assert {each.reason for each in of(some + rest, OrderChanged)} == {Reason.CANCELLED_BY_USER}
    assert story.person(one).free("spot", "USDT") == units("1000")
    assert len(story.person(two).orders) == 1


def test_s13_orders_on_a_halted_book_stay_through_cancel_all(story: Story) -> None:
    one = story.account(spot_USDT="1000")
    story.buy(one, SPOT, "0.001", "40000")
    story.buy(one, "ETH-USDT", "0.01", "2000")
    told = story.ok(SetSymbolState, symbol=SPOT, state="halt")
    assert of(told, SymbolStateChanged)[0].state == "halt"
    assert answer(story.ok(CancelAll, account_id=one)).result_id == 1
    (order,) = story.person(one).orders.values()
    refused = story.do(CancelOrder, account_id=one, order_id=order.order_id)
    assert refusal(refused) is Reason.SYMBOL_NOT_TRADING
    story.ok(SetSymbolState, symbol=SPOT, state="trading")
    story.ok(CancelOrder, account_id=one, order_id=order.order_id)


# -- amending ------------------------------------------------------------------------------------


def test_s7_v04_less_keeps_id_and_place_anything_else_goes_to_the_back(story: Story) -> None:
    """V04: 10, 15, 20 in line; 15 is reduced and stays between them, then raised: 10, 20, 22."""
    one, two = story.account(spot_USDT="9000"), story.account(spot_USDT="9000")
    ten = answer(story.buy(two, SPOT, "0.01", "40000")).result_id
    mine = answer(story.buy(one, SPOT, "0.055", "40000")).result_id
    twenty = answer(story.buy(two, SPOT, "0.04", "40000")).result_id
    less = story.ok(AmendOrder, account_id=one, order_id=mine, lots=5_000)
    assert answer(less).result_id == mine
    queue = story.engine.books[SPOT].queue(Side.BUY, 4_000_000)
    assert [(order.order_id, order.open_lots) for order in queue] == [
        (ten, 1_000),
        (mine, 5_000),
        (twenty, 4_000),
    ]
    assert story.person(one).free("spot", "USDT") == units("7000")  # 9000 - 0.05 x 40000
    more = story.ok(AmendOrder, account_id=one, order_id=mine, lots=5_500)
    fresh = answer(more).result_id
    assert fresh > twenty
    queue = story.engine.books[SPOT].queue(Side.BUY, 4_000_000)
    assert [order.order_id for order in queue] == [ten, twenty, fresh]
    assert [(each.order_id, each.happening) for each in of(more, OrderChanged)] == [
        (mine, "cancelled"),
        (fresh, "accepted"),
    ]


def test_an_amended_quantity_counts_what_was_filled(story: Story) -> None:
    """3 of 10 are filled; a new total of 8 at another price leaves 5 to fill; 3 leaves nothing."""
    one, two = story.account(spot_USDT="9000"), story.account(spot_BTC="1")
    mine = answer(story.buy(one, SPOT, "0.10", "50000")).result_id
    story.sell(two, SPOT, "0.03", "50000")
    refused = story.do(AmendOrder, account_id=one, order_id=mine, lots=3_000)
    assert refusal(refused) is Reason.AMEND_BELOW_FILLED
    fresh = answer(
        story.ok(AmendOrder, account_id=one, order_id=mine, lots=8_000, price_ticks=4_900_000)
    ).result_id
    order = story.person(one).orders[fresh]
    assert (order.lots, order.open_lots, order.price_ticks) == (5_000, 5_000, 4_900_000)


def test_an_amendment_may_use_what_the_order_itself_holds(story: Story) -> None:
    """All 1,000 are held by 0.025 at 40,000; the same money buys 0.02 at 50,000, not 0.021."""
    one = story.account(spot_USDT="1000")
    mine = answer(story.buy(one, SPOT, "0.025", "40000")).result_id
    change = {"account_id": one, "order_id": mine, "price_ticks": 5_000_000}
    assert refusal(story.do(AmendOrder, lots=2_100, **change)) is Reason.INSUFFICIENT_BALANCE
    story.ok(AmendOrder, lots=2_000, **change)
    assert story.person(one).free("spot", "USDT") == 0


def test_an_amendment_may_trade_at_once(story: Story) -> None:
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.sell(two, SPOT, "0.01", "50000")
    mine = answer(story.buy(one, SPOT, "0.01", "49000")).result_id
    events = story.ok(AmendOrder, account_id=one, order_id=mine, price_ticks=5_000_000)
    assert [trade.price_ticks for trade in of(events, Traded)] == [5_000_000]
    assert not story.person(one).orders


def test_whoever_has_as_many_orders_as_may_be_can_still_amend_them(story: Story) -> None:
    """S9: MAX_NUM_ORDERS counts the order that is amended only once."""
    one = story.account(spot_USDT="100000")
    ids = [
        answer(story.buy(one, SPOT, "0.001", "40000")).result_id
        for _ in range(ORDERS_PER_ACCOUNT_SYMBOL_MAX)
    ]
    assert refusal(story.buy(one, SPOT, "0.001", "40000")) is Reason.MAX_ORDERS
    story.ok(AmendOrder, account_id=one, order_id=ids[0], price_ticks=4_100_000)


@pytest.mark.parametrize(("price", "spared"), [("41000", "0"), ("39000", "100")])
def test_m6_t24_the_loan_of_an_order_follows_it_through_an_amendment(
    story: Story, price: str, spared: str
) -> None:
    """Own 2,000, buy 0.1 at 40,000: 2,000 are borrowed.

    At 41,000 it needs 100 more, at 39,000 it needs 100 less, which are repaid at once. Cancelled,
    all of the loan goes back but for the interest of the hour, 0.021 at most.
    """
    one = story.account(margin_USDT="2000")
    mine = answer(story.buy(one, SPOT, "0.1", "40000", wallet="margin", side_effect=1)).result_id
    loan = story.person(one).loans["margin", "USDT"]
    assert loan.principal_minor == units("2000")
    ticks = story.engine.instruments[SPOT].ticks(price)
    assert isinstance(ticks, int)
    fresh = answer(story.ok(AmendOrder, account_id=one, order_id=mine, price_ticks=ticks)).result_id
    # 2,000 at 0.001 % is 0.02 of interest, and comes first (M8).
    repaid = units(spared) - units("0.02") if spared != "0" else 0
    more = units("100") if spared == "0" else 0
    assert loan.principal_minor == units("2000") + more - repaid
    story.ok(CancelOrder, account_id=one, order_id=fresh)
    left = story.person(one).loans.get(("margin", "USDT"))
    assert left is not None
    assert left.owed_minor <= units("0.022")
    assert not story.person(one).order_loans


# -- invariants ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        lambda engine, one: engine.risk.accounts[one].orders.clear(),
        lambda engine, one: setattr(engine.risk.accounts[one].pockets["spot", "USDT"], "locked", 0),
        lambda engine, one: setattr(engine.risk.accounts[one].pockets["spot", "USDT"], "minor", 0),
        lambda engine, one: next(iter(engine.books[SPOT].orders.values())).__setattr__(
            "open_lots", 1
        ),
    ],
)
def test_check_finds_what_is_planted(story: Story, fault: Any) -> None:
    one = story.account(spot_USDT="1000")
    story.buy(one, SPOT, "0.001", "40000")
    fault(story.engine, one)
    with pytest.raises(AssertionError):
        story.engine.check()


def test_a_venue_without_a_start_on_the_grid_begins_at_the_next_grid_point() -> None:
    venue = small_venue()
    engine = Engine(msgspec.structs.replace(venue, start_ms=START_MS + 1))
    assert engine.next_grid_ms == START_MS + 1_000
