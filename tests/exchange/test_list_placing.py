"""Order lists on the engine (S5, T28): what they hold, and how one leg ends the others."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.commands import REFUSE_IF_OPEN, CancelOrder, PlaceList, PlaceOrder
from exchange.events import AnyEvent, OrderListChanged
from matching.lists import LegStatus, ListKind, ListStatus
from matching.reasons import Reason
from matching.types import OrderType, Side, Status, TimeInForce, TriggerSource
from tests.exchange.stops import PERP, SPOT, last_of, long_of, trade
from tests.story import Story, again, answer, of, refusal, standing, units

PENDING, OPEN, MOVED, FILLED, ENDED, REJECTED, PART_FILLED = LegStatus
OCO, OTO, OTOCO = ListKind


@pytest.fixture
def story() -> Story:
    story = Story()
    trade(story, "50000")
    return story


def wish(story: Story, account: int, side: Side, qty: str, **more: Any) -> PlaceOrder:
    """An order in decimal text: `price`, `trigger_price`, and what else is said."""
    fields: dict[str, Any] = {"symbol": SPOT, "wallet": "spot", "type": OrderType.LIMIT} | more
    instrument = story.engine.instruments[fields["symbol"]]
    for name, field in (("price", "price_ticks"), ("trigger_price", "trigger_ticks")):
        if name in fields:
            fields[field] = instrument.ticks(fields.pop(name))
    lots = instrument.lots(qty)
    return PlaceOrder(account_id=account, side=side, lots=lots, **fields)  # type: ignore[arg-type]


def limit_maker(story: Story, account: int, side: Side, price: str, **more: Any) -> PlaceOrder:
    return wish(story, account, side, more.pop("qty", "1"), price=price, post_only=True, **more)


def stop(story: Story, account: int, side: Side, at: str, **more: Any) -> PlaceOrder:
    fields: dict[str, Any] = {"type": OrderType.STOP, "trigger_price": at} | more
    return wish(story, account, side, fields.pop("qty", "1"), **fields)


def place(story: Story, account: int, kind: ListKind, *orders: PlaceOrder) -> list[AnyEvent]:
    return story.do(PlaceList, account_id=account, kind=int(kind), orders=list(orders))


def told(events: list[AnyEvent]) -> OrderListChanged:
    """The last of a list."""
    return of(events, OrderListChanged)[-1]


def legs_of(events: list[AnyEvent]) -> list[LegStatus]:
    return [status for _, _, status in told(events).legs]


def sale(story: Story, **more: Any) -> tuple[int, list[int], int]:
    """An OCO to sell one coin at 52,000, or at the market from 48,000; owner, orders and list."""
    owner = story.account(spot_BTC="1")
    legs = (
        limit_maker(story, owner, Side.SELL, "52000"),
        stop(story, owner, Side.SELL, "48000", **more),
    )
    events = place(story, owner, OCO, *legs)
    assert refusal(events) is None
    assert legs_of(events) == [OPEN, OPEN]
    return owner, [order_id for order_id, _, _ in told(events).legs], answer(events).result_id


def test_s5_an_oco_holds_what_one_leg_needs(story: Story) -> None:
    owner, _, _ = sale(story)
    assert story.person(owner).free("spot", "BTC") == 0
    assert len(story.person(owner).orders) == story.person(owner).open_counts[SPOT] == 2


def test_s5_an_oco_to_buy_holds_what_the_dearer_leg_needs(story: Story) -> None:
    owner = story.account(spot_USDT="100000")
    dear = stop(story, owner, Side.BUY, "52000", type=OrderType.STOP_LIMIT, price="53000")
    events = place(story, owner, OCO, limit_maker(story, owner, Side.BUY, "48000"), dear)
    assert refusal(events) is None
    assert story.person(owner).free("spot", "USDT") == units("47000")  # 100,000 - 53,000
    assert standing(again(story.engine)) == standing(story.engine)
    story.ok(CancelOrder, account_id=owner, list_id=answer(events).result_id)
    assert story.person(owner).free("spot", "USDT") == units("100000")
    assert not story.engine.trading.lists.by_id


def test_s5_an_oco_cannot_be_placed_on_what_one_leg_alone_could_hold(story: Story) -> None:
    owner = story.account(spot_USDT="50000")
    before = standing(story.engine)
    dear = stop(story, owner, Side.BUY, "52000", type=OrderType.STOP_LIMIT, price="53000")
    events = place(story, owner, OCO, limit_maker(story, owner, Side.BUY, "48000"), dear)
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE
    assert standing(story.engine) == before


def test_s5_a_part_fill_of_the_limit_expires_the_stop(story: Story) -> None:
    _, (limit_id, stop_id), _ = sale(story)
    taker = story.account(spot_USDT="100000")
    events = story.buy(taker, SPOT, "0.4", "52000")
    assert legs_of(events) == [MOVED, ENDED]
    ended = last_of(story, stop_id)
    assert (ended.status, ended.reason) == (Status.EXPIRED, Reason.LIST_ENDED)
    events = story.buy(taker, SPOT, "0.6", "52000")
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [FILLED, ENDED])
    assert last_of(story, limit_id).status is Status.FILLED
    assert not story.engine.trading.lists.by_id


def test_s5_the_trigger_of_the_stop_expires_the_limit_first(story: Story) -> None:
    owner, (limit_id, stop_id), _ = sale(story)
    story.buy(story.account(spot_USDT="100000"), SPOT, "1", "47000")
    events = trade(story, "48000")
    assert last_of(story, limit_id).reason is Reason.LIST_ENDED
    assert last_of(story, stop_id).status is Status.FILLED
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [ENDED, FILLED])
    assert story.person(owner).free("spot", "BTC") == 0


def test_s5_a_stop_that_rests_then_holds_all_it_needs(story: Story) -> None:
    owner = story.account(spot_USDT="53000")
    dear = stop(story, owner, Side.BUY, "52000", type=OrderType.STOP_LIMIT, price="53000")
    place(story, owner, OCO, limit_maker(story, owner, Side.BUY, "48000"), dear)
    events = trade(story, "52000")
    assert legs_of(events) == [ENDED, MOVED]
    assert story.person(owner).free("spot", "USDT") == 0
    assert standing(again(story.engine)) == standing(story.engine)


@pytest.mark.parametrize("leg", [0, 1])
def test_s5_cancelling_a_leg_ends_the_other(story: Story, leg: int) -> None:
    owner, order_ids, _ = sale(story)
    events = story.ok(CancelOrder, account_id=owner, order_id=order_ids[leg])
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [ENDED, ENDED])
    assert story.person(owner).free("spot", "BTC") == units("1")


@pytest.mark.parametrize(
    ("limit", "at", "reason"),
    [
        ("47000", "48000", Reason.LIST_PRICES_CROSSED),
        ("52000", "51000", Reason.LIST_PRICES_CROSSED),  # The last trade was at 50,000.
        ("49000", "48000", Reason.LIST_PRICES_CROSSED),
    ],
)
def test_s5_a_sale_has_its_limit_above_the_last_price_and_its_stop_below(
    story: Story, limit: str, at: str, reason: Reason
) -> None:
    owner = story.account(spot_BTC="1")
    before = standing(story.engine)
    legs = (limit_maker(story, owner, Side.SELL, limit), stop(story, owner, Side.SELL, at))
    assert refusal(place(story, owner, OCO, *legs)) is reason
    assert standing(story.engine) == before


def test_s5_legs_that_do_not_fit_make_no_list(story: Story) -> None:
    owner = story.account(spot_BTC="3")
    limit = limit_maker(story, owner, Side.SELL, "52000")
    ill: list[tuple[ListKind, tuple[PlaceOrder, ...]]] = [
        (OCO, (limit, stop(story, owner, Side.SELL, "48000", qty="2"))),
        (OCO, (limit, stop(story, owner, Side.BUY, "48000"))),
        (OCO, (limit, limit)),
        (OCO, (limit,)),
        (OCO, (wish(story, owner, Side.SELL, "1", price="52000"),) * 2),
        (OTO, (stop(story, owner, Side.SELL, "48000"), limit)),
        (OTOCO, (limit, limit)),
    ]
    for kind, legs in ill:
        assert refusal(place(story, owner, kind, *legs)) is Reason.LIST_SHAPE


def test_s5_an_account_has_so_many_lists(story: Story) -> None:
    owner = story.account(spot_BTC="30", spot_USDT="1000000")
    waits = wish(story, owner, Side.SELL, "0.1", price="60000")
    working = wish(story, owner, Side.BUY, "0.1", price="40000")
    for _ in range(20):
        assert refusal(place(story, owner, OTO, working, waits)) is None
    assert refusal(place(story, owner, OTO, working, waits)) is Reason.MAX_ORDER_LISTS


def bought(story: Story, *waits: PlaceOrder) -> int:
    """Buy one coin at 49,000, and then what waits; the list."""
    owner = waits[0].account_id
    working = wish(story, owner, Side.BUY, "1", price="49000")
    events = place(story, owner, OTO if len(waits) == 1 else OTOCO, working, *waits)
    assert refusal(events) is None
    assert legs_of(events) == [OPEN, *[PENDING] * len(waits)]
    return answer(events).result_id


def test_s5_what_waits_is_placed_when_all_is_filled_and_holds_nothing_before(story: Story) -> None:
    owner = story.account(spot_USDT="49000")
    seller = story.account(spot_BTC="1")
    bought(story, wish(story, owner, Side.SELL, "0.9", price="55000"))
    story.sell(seller, SPOT, "0.4", "49000")
    assert legs_of(story.events) == [MOVED, PENDING]
    assert len(story.person(owner).orders) == 1
    assert standing(again(story.engine)) == standing(story.engine)
    events = story.sell(seller, SPOT, "0.6", "49000")
    assert legs_of(events) == [FILLED, OPEN]
    (order,) = story.person(owner).orders.values()
    assert (order.price_ticks, order.hold_minor) == (5_500_000, units("0.9"))


def test_s5_a_working_order_that_is_cancelled_expires_what_waits(story: Story) -> None:
    owner = story.account(spot_USDT="49000")
    list_id = bought(story, wish(story, owner, Side.SELL, "0.9", price="55000"))
    events = story.ok(CancelOrder, account_id=owner, list_id=list_id)
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [ENDED, ENDED])


def test_t21_what_cannot_be_placed_is_rejected_and_ends_the_list(story: Story) -> None:
    owner = story.account(spot_USDT="49000")
    bought(story, wish(story, owner, Side.SELL, "1.1", price="55000"))  # More than is bought.
    events = story.sell(story.account(spot_BTC="1"), SPOT, "1", "49000")
    last = told(events)
    assert (last.status, last.reason) == (ListStatus.REJECTED, Reason.INSUFFICIENT_BALANCE)
    assert legs_of(events) == [FILLED, REJECTED]


def test_s5_an_otoco_guards_what_was_bought(story: Story) -> None:
    owner = story.account(spot_USDT="49000", spot_BTC="0.01")  # The fee is paid in coin.
    legs = limit_maker(story, owner, Side.SELL, "52000"), stop(story, owner, Side.SELL, "48000")
    bought(story, *legs)
    events = story.sell(story.account(spot_BTC="1"), SPOT, "1", "49000")
    assert legs_of(events) == [FILLED, OPEN, OPEN]
    assert standing(again(story.engine)) == standing(story.engine)
    story.buy(story.account(spot_USDT="100000"), SPOT, "1", "47000")
    events = trade(story, "48000")
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [FILLED, ENDED, FILLED])


def test_m6_what_waits_in_a_list_repays_no_debt(story: Story) -> None:
    owner = story.account(margin_USDT="49000")
    fields: dict[str, Any] = {"wallet": "margin", "side_effect": 2}
    waits = wish(story, owner, Side.SELL, "1", price="55000", **fields)
    working = wish(story, owner, Side.BUY, "1", price="49000", wallet="margin")
    assert refusal(place(story, owner, OTO, working, waits)) is Reason.SIDE_EFFECT_NOT_ALLOWED


def test_s5_an_oco_on_margin_borrows_once(story: Story) -> None:
    owner = story.account(margin_USDT="40000")
    fields: dict[str, Any] = {"wallet": "margin", "side_effect": 1}
    dear = stop(story, owner, Side.BUY, "52000", type=OrderType.STOP_LIMIT, price="53000", **fields)
    limit = limit_maker(story, owner, Side.BUY, "48000", **fields)
    events = place(story, owner, OCO, limit, dear)
    loan = story.person(owner).loans["margin", "USDT"]
    assert loan.principal_minor == units("13000")  # 53,000 - 40,000
    story.ok(CancelOrder, account_id=owner, list_id=answer(events).result_id)
    # Repaid but for the first hour's interest: what is spare of the money pays it first.
    left = story.person(owner).loans.get(("margin", "USDT"))
    assert left is None or left.principal_minor < units("1")


def test_s5_an_oco_closes_a_perpetual_position(story: Story) -> None:
    owner, _ = long_of(story)
    fields: dict[str, Any] = {"symbol": PERP, "wallet": "perp", "reduce_only": True, "qty": "0.010"}
    limit = limit_maker(story, owner, Side.SELL, "50500", **fields)
    guard = stop(story, owner, Side.SELL, "48000", trigger=TriggerSource.LAST, **fields)
    events = place(story, owner, OCO, limit, guard)
    assert refusal(events) is None
    taker = story.account(perp_USDT="90000")
    events = story.buy(taker, PERP, "0.010", "50500")
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [FILLED, ENDED])
    assert story.person(owner).lots(PERP) == 0


def test_s5_a_take_profit_may_be_the_limit_leg(story: Story) -> None:
    owner = story.account(spot_BTC="1")
    profit = stop(story, owner, Side.SELL, "52000", type=OrderType.TAKE_PROFIT)
    events = place(story, owner, OCO, profit, stop(story, owner, Side.SELL, "48000"))
    assert refusal(events) is None
    assert story.person(owner).free("spot", "BTC") == 0
    story.buy(story.account(spot_USDT="100000"), SPOT, "1", "51000")
    events = trade(story, "52000")
    assert (told(events).status, legs_of(events)) == (ListStatus.DONE, [FILLED, ENDED])


def test_a_list_asked_for_twice_is_placed_once(story: Story) -> None:
    owner = story.account(spot_BTC="1")
    legs = [
        limit_maker(story, owner, Side.SELL, "52000"),
        stop(story, owner, Side.SELL, "48000", tif=TimeInForce.GTC),
    ]
    fields = {"account_id": owner, "kind": 0, "orders": legs, "client_id": "mine"}
    first, second = story.ok(PlaceList, **fields), story.ok(PlaceList, **fields)
    assert answer(first).result_id == answer(second).result_id
    assert len(story.person(owner).orders) == 2


def test_a_client_id_is_free_again_once_its_list_is_over_where_the_door_wants_that(
    story: Story,
) -> None:
    owner = story.account(spot_USDT="200000")
    fields: dict[str, Any] = {
        "account_id": owner,
        "kind": int(OTO),
        "client_id": "both",
        "on_duplicate": REFUSE_IF_OPEN,
        "orders": [
            wish(story, owner, Side.BUY, "1", price="49000"),
            wish(story, owner, Side.SELL, "0.9", price="55000"),
        ],
    }
    first = answer(story.ok(PlaceList, **fields)).result_id
    assert refusal(story.do(PlaceList, **fields)) is Reason.DUPLICATE_ID
    found = story.engine.trading.lists.named(story.person(owner), "both")
    assert found is not None
    assert found.list_id == first
    story.ok(CancelOrder, account_id=owner, list_id=first)
    assert answer(story.ok(PlaceList, **fields)).result_id == first + 1
