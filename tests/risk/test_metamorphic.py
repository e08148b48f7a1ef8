"""Tests of I14: scaled, mirrored and split orders come to the same; so does a search for an end."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exchange.commands import SetLeverage, SetMarginMode, SetPositionMode
from matching.types import Side
from risk.account import LONG, ONE_WAY, SHORT, leg_of
from risk.ledger import FEES
from risk.perp_report import position_report
from risk.scopes import breached, scope_of
from tests.risk.stories import BTC, BTC_PERP, ETH_PERP, NO_FEES, net_minor
from tests.story import Story, refusal, small_venue

COIN_PERP = "BTC-USD-PERP"
SYMBOLS = ("BTC-USDT", "ETH-USDT", BTC_PERP, ETH_PERP, COIN_PERP)
COINS = 20_000  # Of whoever has plenty.
FEW = settings(max_examples=12, deadline=None)

prices = st.integers(490, 510).map(lambda hundreds: hundreds * 100)
trades = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 400), prices), min_size=1, max_size=6
)


class Lived(NamedTuple):
    """What a run of trades came to: worth gained in USDT minor units, and the position."""

    gained: Fraction
    lots: int
    cost_minor: int


def _plenty(story: Story) -> int:
    """Somebody whom no price here can hurt."""
    coins = {"perp:BTC_BTC": str(COINS // 2), "spot_BTC": str(COINS // 2)}
    return story.account("plenty", perp_USDT="100000000", spot_USDT="100000000", **coins)


def _venue(**changes: object) -> Story:
    return Story(small_venue(**({"symbols": SYMBOLS, "fees": NO_FEES} | changes)))


def _trade(story: Story, symbol: str, one: int, side: Side, qty: str, price: int) -> None:
    """The account's order is filled whole, as a maker."""
    other = _plenty(story)
    assert refusal(story.place(one, side, symbol, qty, str(price))) is None
    assert refusal(story.place(other, side.opposite, symbol, qty, str(price))) is None


def _qty(story: Story, symbol: str, lots: int) -> str:
    instrument = story.engine.instruments[symbol]
    if instrument.kind == "inverse":
        return str(lots)
    return str(Decimal(lots * instrument.lot_minor).scaleb(-8))


def _live(
    symbol: str,
    steps: list[tuple[Side, int, int]],
    last: int,
    *,
    times: int = 1,
    mirror: bool = False,
) -> Lived:
    """Trade so many lots of each step, on the other side where mirrored; then the index moves."""
    story = _venue()
    one = _plenty(story)
    before = net_minor(story.engine, story.person(one))
    start = story.engine.risk.price_e8("BTC")
    for side, lots, price in steps:
        way = side.opposite if mirror else side
        _trade(story, symbol, one, way, _qty(story, symbol, lots * times), price)
    story.index("BTC", str(last))
    person = story.person(one)
    # What its own coins won or lost by the index is not its trading.
    held = COINS * ((story.engine.risk.price_e8("BTC") or 0) - (start or 0))
    position = person.positions.get(symbol)
    return Lived(
        net_minor(story.engine, person) - before - held,
        position.lots if position else 0,
        position.cost_minor if position else 0,
    )


# -- sizes and sides ---------------------------------------------------------------------------


@FEW
@given(trades, prices)
def test_i14_doubling_all_sizes_doubles_what_a_linear_contract_wins(
    steps: list[tuple[Side, int, int]], last: int
) -> None:
    """To the unit: price x quantity is exact (A2), and W - C as well, whatever is released (A5)."""
    once, twice = _live(BTC_PERP, steps, last), _live(BTC_PERP, steps, last, times=2)
    assert twice.gained == 2 * once.gained
    assert twice.lots == 2 * once.lots


@FEW
@given(trades, prices)
def test_i14_doubling_all_sizes_doubles_what_an_inverse_contract_wins_but_for_rounding(
    steps: list[tuple[Side, int, int]], last: int
) -> None:
    """Each fill's coins are rounded half-even once (A3): at most half a unit of BTC a fill, twice
    that where it is doubled; and a unit of profit that is open."""
    once, twice = _live(COIN_PERP, steps, last), _live(COIN_PERP, steps, last, times=2)
    unit = Fraction(max(price for *_, price in [*steps, (0, 0, last)]))
    assert abs(twice.gained - 2 * once.gained) <= unit * (Fraction(3, 2) * len(steps) + 3)
    assert twice.lots == 2 * once.lots


@FEW
@given(trades, prices)
def test_i14_swapping_all_linear_sides_flips_every_sign(
    steps: list[tuple[Side, int, int]], last: int
) -> None:
    plain, swapped = _live(BTC_PERP, steps, last), _live(BTC_PERP, steps, last, mirror=True)
    assert swapped == Lived(-plain.gained, -plain.lots, -plain.cost_minor)


# -- splitting ---------------------------------------------------------------------------------

parts = st.lists(st.integers(1, 300), min_size=2, max_size=6)


def _split(symbol: str, sizes: list[int], side: Side, price: int) -> tuple[Story, int]:
    """One price, one maker, and the account takes it in orders of these sizes."""
    story = _venue(fees=small_venue().fees)
    one, other = _plenty(story), _plenty(story)
    whole = _qty(story, symbol, sum(sizes))
    assert refusal(story.place(other, side.opposite, symbol, whole, str(price))) is None
    for lots in sizes:
        taken = story.place(one, side, symbol, _qty(story, symbol, lots), str(price))
        assert refusal(taken) is None
    assert not story.person(one).orders
    return story, one


@FEW
@given(parts, st.sampled_from(Side), prices, st.sampled_from([BTC_PERP, COIN_PERP]))
def test_i14_splitting_an_order_on_a_contract_changes_only_the_rounding_of_each_fill(
    sizes: list[int], side: Side, price: int, symbol: str
) -> None:
    """A linear fill never rounds, an inverse one by half a unit; a fee is rounded up, once a fill
    and side: taker and maker."""
    whole, one = _split(symbol, [sum(sizes)], side, price)
    split, same = _split(symbol, sizes, side, price)
    assert same == one
    before, after = (story.person(one).positions[symbol] for story in (whole, split))
    assert before.lots == after.lots
    rounding = Fraction(len(sizes) + 1, 2) if symbol == COIN_PERP else 0
    assert abs(before.cost_minor - after.cost_minor) <= rounding
    asset = whole.engine.instruments[symbol].settle
    more = split.engine.risk.ledger.house(FEES, asset).minor
    more -= whole.engine.risk.ledger.house(FEES, asset).minor
    assert -rounding <= more < 2 * len(sizes) + rounding


@FEW
@given(parts, st.sampled_from(Side), prices)
def test_i14_splitting_an_order_on_spot_changes_only_the_rounding_of_its_fees(
    sizes: list[int], side: Side, price: int
) -> None:
    sizes = [100 * lots for lots in sizes]  # Each is worth enough to be placed.
    whole, one = _split(BTC, [sum(sizes)], side, price)
    split, _ = _split(BTC, sizes, side, price)
    for asset in ("BTC", "USDT"):
        more = split.engine.risk.ledger.house(FEES, asset).minor
        more -= whole.engine.risk.ledger.house(FEES, asset).minor
        assert 0 <= more < len(sizes)
        held = [story.person(one).minor("spot", asset) for story in (whole, split)]
        assert 0 <= held[0] - held[1] < len(sizes)


# -- the liquidation price ---------------------------------------------------------------------


def _is_over(story: Story, account: int, symbol: str, scope: str, price_e8: int) -> bool:
    """Whether MB <= MM would hold at a mark; the true one is put back."""
    perp = story.engine.risk.marks[symbol]
    true_e8, perp.mark_e8 = perp.mark_e8, price_e8
    try:
        return breached(story.engine.risk, story.person(account), scope)
    finally:
        perp.mark_e8 = true_e8


def _searched(story: Story, account: int, symbol: str, leg: str) -> tuple[int | None, int | None]:
    """(below, above) the mark: the nearest price at which the scope is over, by bisection."""
    risk = story.engine.risk
    scope = scope_of(risk, story.person(account), leg)
    mark_e8 = risk.mark_e8(symbol)
    assert mark_e8 is not None
    assert not _is_over(story, account, symbol, scope, mark_e8)
    found: list[int | None] = []
    for far_e8 in (1, risk.contracts[symbol].price_max_e8):
        good_e8, bad_e8 = mark_e8, far_e8
        if not _is_over(story, account, symbol, scope, bad_e8):
            found.append(None)
            continue
        while abs(bad_e8 - good_e8) > 1:
            middle_e8 = (bad_e8 + good_e8) // 2
            if _is_over(story, account, symbol, scope, middle_e8):
                bad_e8 = middle_e8
            else:
                good_e8 = middle_e8
        found.append(bad_e8)
    return found[0], found[1]


def _agree(story: Story, account: int, symbol: str, leg: str) -> None:
    """The closed form, to the nearest 10^-8, is where the search ends on one side of the mark."""
    told = position_report(story.engine.risk, story.person(account), leg).liquidation_e8
    below, above = _searched(story, account, symbol, leg)
    if told is None:
        assert (below, above) == (None, None)
        return
    assert any(each is not None and abs(each - told) <= 1 for each in (below, above)), (
        told,
        below,
        above,
    )


def _open(story: Story, account: int, symbol: str, leg: int, lots: int, leverage: int) -> bool:
    """A position of an account at 50,000, or at 2,500 of ether; whether it may have it."""
    side = Side.BUY if lots > 0 else Side.SELL
    price = "2500" if symbol == ETH_PERP else "50000"
    qty = _qty(story, symbol, abs(lots))
    story.ok(SetLeverage, account_id=account, symbol=symbol, leverage=leverage)
    placed = story.place(account, side, symbol, qty, price, position_side=leg)
    if refusal(placed) is not None:  # Too large for its money or its bracket.
        return False
    other = _plenty(story)
    assert refusal(story.place(other, side.opposite, symbol, qty, price)) is None
    return True


sizes = st.integers(1, 20_000)
signs = st.sampled_from([1, -1])
leverages = st.sampled_from([1, 5, 20, 50])


@FEW
@given(sizes, signs, leverages, st.booleans(), st.sampled_from([BTC_PERP, COIN_PERP]))
def test_i14_bisection_finds_the_closed_form_of_one_position(
    lots: int, sign: int, leverage: int, isolated: bool, symbol: str
) -> None:
    """V48, V51, V52, V54 to V56: in every bracket, linear and inverse, isolated and cross."""
    story = _venue()
    one = story.account("one", perp_USDT="100000", **{"perp:BTC_BTC": "2"})
    story.ok(SetMarginMode, account_id=one, symbol=symbol, isolated=isolated)
    assume(_open(story, one, symbol, ONE_WAY, sign * lots, leverage))
    _agree(story, one, symbol, symbol)


@FEW
@given(sizes, signs, sizes, signs)
def test_i14_bisection_finds_the_closed_form_beside_another_position(
    lots: int, sign: int, ether: int, other_sign: int
) -> None:
    """V44: what the other has and needs at its mark counts, for both."""
    story = _venue()
    one = story.account("one", perp_USDT="100000")
    assume(_open(story, one, BTC_PERP, ONE_WAY, sign * lots, 20))
    assume(_open(story, one, ETH_PERP, ONE_WAY, other_sign * ether, 20))
    for symbol in (BTC_PERP, ETH_PERP):
        _agree(story, one, symbol, symbol)


@FEW
@given(sizes, sizes, st.booleans(), st.sampled_from([BTC_PERP, COIN_PERP]))
def test_i14_bisection_finds_the_closed_form_of_both_legs(
    longs: int, shorts: int, isolated: bool, symbol: str
) -> None:
    """V53: cross legs share one price, isolated ones have their own."""
    story = _venue()
    one = story.account("one", perp_USDT="100000", **{"perp:BTC_BTC": "2"})
    story.ok(SetPositionMode, account_id=one, hedge=True)
    story.ok(SetMarginMode, account_id=one, symbol=symbol, isolated=isolated)
    for leg, lots in ((LONG, longs), (SHORT, -shorts)):
        assume(_open(story, one, symbol, leg, lots, 20))
    for leg in (LONG, SHORT):
        _agree(story, one, symbol, leg_of(symbol, leg))


def test_a_search_that_misses_by_a_little_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    story = _venue()
    one = story.account("one", perp_USDT="5000")
    assert _open(story, one, BTC_PERP, ONE_WAY, 1_000, 20)
    _agree(story, one, BTC_PERP, BTC_PERP)
    monkeypatch.setattr("tests.risk.test_metamorphic._searched", lambda *_: (1, None))
    with pytest.raises(AssertionError):
        _agree(story, one, BTC_PERP, BTC_PERP)
