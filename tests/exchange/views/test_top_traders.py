"""The fifth of the holders whose positions are the largest, against one who sorts everybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.views.top_traders import Top, TopTraders

LEG = "BTC-USDT-PERP"
Holders = dict[tuple[int, str], int]


def by_sorting(holders: Holders) -> Top:
    """What the top traders hold, found the long way."""
    ranked = sorted(holders.items(), key=lambda each: (-abs(each[1]), each[0]))
    of_top = [lots for _, lots in ranked[: (len(ranked) + 4) // 5]]
    longs, shorts = [n for n in of_top if n > 0], [-n for n in of_top if n < 0]
    return Top(len(longs), len(shorts), sum(longs), sum(shorts))


def holding(*lots: int) -> TopTraders:
    """Accounts from 100 on that hold so many lots."""
    traders = TopTraders()
    for place, each in enumerate(lots):
        traders.change(100 + place, LEG, 0, each)
    return traders


def test_where_nobody_holds_anything_nobody_is_on_top() -> None:
    assert holding().top() == Top(0, 0, 0, 0)


def test_a_fifth_is_rounded_up() -> None:
    assert holding(5).top() == Top(1, 0, 5, 0)
    assert holding(5, -6, 7, -8, 9).top() == Top(1, 0, 9, 0)
    # Two of six: 9 long and 8 short.
    assert holding(5, -6, 7, -8, 9, 1).top() == Top(1, 1, 9, 8)


def test_of_equals_the_account_that_was_opened_first_is_on_top() -> None:
    traders = TopTraders()
    traders.change(101, LEG, 0, -7)
    traders.change(100, LEG, 0, 7)
    assert traders.top() == Top(1, 0, 7, 0)


def test_who_leaves_or_shrinks_makes_room_for_the_next() -> None:
    traders = holding(10, -9, 8, 1, 1, 1)  # The fifth of six is two.
    traders.change(100, LEG, 10, 2)
    assert traders.top() == Top(1, 1, 8, 9)
    traders.change(101, LEG, -9, 0)  # Now one of five.
    assert traders.top() == Top(1, 0, 8, 0)
    traders.change(102, LEG, 8, -8)
    assert traders.top() == Top(0, 1, 0, 8)


CHANGES = st.lists(
    st.tuples(st.integers(100, 115), st.sampled_from((LEG, f"{LEG}/SHORT")), st.integers(-6, 6)),
    max_size=80,
)


@given(CHANGES)
def test_after_any_changes_it_is_the_same_as_sorting_everybody(
    changes: list[tuple[int, str, int]],
) -> None:
    traders, holders = TopTraders(), Holders()
    for account_id, leg, lots in changes:
        traders.change(account_id, leg, holders.pop((account_id, leg), 0), lots)
        if lots:
            holders[account_id, leg] = lots
        assert traders.top() == by_sorting(holders)
    # Who is told where everybody stands, in whatever order, knows the same.
    restored = TopTraders()
    for (account_id, leg), lots in sorted(holders.items()):
        restored.change(account_id, leg, 0, lots)
    assert restored.top() == traders.top()
