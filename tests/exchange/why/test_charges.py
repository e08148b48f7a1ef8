"""Tests of the trees of charges: an hour of interest, a funding payment, and its rate."""

from __future__ import annotations

from exchange.events import FundingCharged, FundingFixed, InterestCharged
from exchange.why.charges import funding_tree, interest_tree, rate_tree
from tests.exchange.events_by_hand import PERP
from tests.exchange.why.retracing import retrace
from tests.story import units

HOUR = 3_600_000


def test_m7_interest_is_principal_by_rate_rounded_up() -> None:
    # 1000 x 0.00001 = 0.01 an hour, the second one.
    event = InterestCharged(
        1, 2, 7, 3, "margin", "USDT", units("1000"), 10**7, 10**16, 2 * 10**16, 2
    )
    tree = interest_tree(event)
    assert retrace(tree) == 2
    assert (tree.kind, tree.id, tree.rule) == ("interest", "3", "M7")
    assert [step.value for step in tree.steps] == ["0.01", "0.02"]
    assert tree.steps[0].formula == "ceil(principal * hourly_rate, 18)"


def test_v27_interest_that_compounds_says_so() -> None:
    # (1000 + 10) x 0.00001.
    owed = 10 * 10**18 + 101 * 10**14
    event = InterestCharged(
        1, 2, 7, 3, "margin", "USDT", units("1000"), 10**7, 101 * 10**14, owed, 2
    )
    tree = interest_tree(event)
    assert retrace(tree) == 2
    assert "owed_before" in tree.steps[0].formula


def test_p10_funding_is_rounded_down_for_either_side() -> None:
    fixed = FundingFixed(
        1, 2, PERP.symbol, 2, 10**8, units("50000"), 0, 5, 10**8, 5 * 10**8, 3 * 10**9, 8 * HOUR
    )
    for lots, flow in ((100, "-0.5"), (-100, "0.5")):  # 0.1 x 50000 x 0.0001 = 0.5.
        event = FundingCharged(
            1, 2, 7, 4, PERP.symbol, lots, units("50000"), 10**8, int(float(flow) * 10**8), 2
        )
        tree = funding_tree(event, PERP, fixed)
        assert tree.steps[0].value == flow
        assert retrace(tree) == 6
        (child,) = tree.children
        assert (child.kind, child.rule) == ("funding_rate", "P9")


def test_p10_a_payment_whose_rate_was_not_kept_has_no_child() -> None:
    event = FundingCharged(1, 2, 7, 4, PERP.symbol, 100, units("50000"), 10**8, -50_000_000, 2)
    assert funding_tree(event, PERP, None).children == []


def test_v64_the_cap_of_a_rate_is_told() -> None:
    """A premium of 2 % against a cap of 0.3 %, on a contract of four hours."""
    fixed = FundingFixed(
        1,
        2,
        PERP.symbol,
        2,
        15 * 10**8,  # 0.003 x 4 / 8.
        units("50000"),
        2 * 10**10,
        900,
        10**8,
        5 * 10**8,
        3 * 10**9,
        4 * HOUR,
    )
    tree = rate_tree(fixed)
    assert retrace(tree) == 5
    assert tree.thresholds[0].value == "true"
    assert [step.value for step in tree.steps] == ["-0.0005", "0.0195", "0.003", "0.0015"]
