"""Tests of the funding that bands allow for: who can pay is not looked at, nobody is missed."""

from __future__ import annotations

from matching.types import Side
from risk.funding_ahead import funding_ahead_minor, funding_cap_e12
from risk.parameters import HOUR_MS
from risk.scan import check_overlooked
from tests.risk.stories import BTC_PERP, HOUR, position
from tests.story import Story, units

E12 = 10**12


def test_p9_the_cap_is_k_times_the_first_brackets_rate_scaled_by_the_interval() -> None:
    """0.75 x 0.4 % = 0.3 % for eight hours, an eighth of it for one."""
    story = Story()
    perp = story.engine.risk.perps[BTC_PERP]
    cap = perp.cap_k_e12 * perp.brackets[0].mmr_e12 // E12
    assert perp.interval_ms == 8 * HOUR_MS
    assert funding_cap_e12(perp) == cap > 0


def test_one_payment_at_the_cap_is_kept_back_where_there_is_room() -> None:
    """0.1 at 50,000 is 5,000; times the cap."""
    story = Story()
    one = position(story, Side.BUY, "0.1", "50000", money="90000")
    risk = story.engine.risk
    ahead = funding_ahead_minor(risk, story.person(one), [BTC_PERP], 10**40)
    assert ahead == units("5000") * funding_cap_e12(risk.perps[BTC_PERP]) // E12
    assert funding_ahead_minor(risk, story.person(one), [BTC_PERP], ahead * 10**20) == 0
    assert funding_ahead_minor(risk, story.person(one), [BTC_PERP], ahead * 10**20 + 1) == ahead
    assert funding_ahead_minor(risk, story.person(one), [], 10**40) == 0


def test_who_pays_within_what_was_kept_back_is_not_looked_at_again() -> None:
    story = Story()
    long = position(story, Side.BUY, "0.1", "50000", money="5000")
    story.wait(1_000)
    risk = story.engine.risk
    before = risk.watch.state()[0]
    paid = story.person(long).minor("perp", "USDT")
    story.wait(8 * HOUR)
    paid -= story.person(long).minor("perp", "USDT")
    assert paid > 0  # Without a premium the rate is the interest: longs pay.
    after = risk.watch.state()[0]
    assert [each[:3] for each in after] == [each[:3] for each in before]  # The same bands,
    left = {each[0]: each[3] for each in after}
    assert left[long] == {each[0]: each[3] for each in before}[long] - paid  # with less to spend.
    assert left[long + 1] == {each[0]: each[3] for each in before}[long + 1]  # It received.


def test_who_has_no_room_for_it_is_looked_at_at_every_funding_and_falls_by_it() -> None:
    """Long 0.1: maintenance is 20 (0.4 % of 5,000), 20.3 are left; a payment of 0.5 sinks it."""
    story = Story()
    long = position(story, Side.BUY, "0.1", "50000", money="90000")
    risk = story.engine.risk
    story.wait(1_000)
    pocket = story.person(long).pockets["perp", "USDT"]
    rest = risk.pocket(story.person(long + 1), "perp", "USDT")
    surplus = pocket.minor - units("20.3")
    pocket.minor -= surplus
    rest.minor += surplus
    risk.watch.touch(long, "perp")
    story.wait(1_000)
    assert BTC_PERP in story.person(long).positions
    (bands,) = [each for each in risk.watch.state()[0] if each[0] == long]
    assert bands[3] == 0
    story.wait(8 * HOUR)
    assert BTC_PERP not in story.person(long).positions
    for account in risk.accounts.values():
        check_overlooked(risk, account)
