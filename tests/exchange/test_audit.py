"""Tests of the auditor: it finds nothing where all is well, and names what was planted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

import exchange.audit
from exchange.audit import Audit, Auditor, audit, deficits
from exchange.commands import AnyCommand
from exchange.events import AnyEvent
from matching.invariants import InvariantBroken
from matching.types import OrderType
from risk.account import Loan
from risk.ledger import (
    FEES,
    FUNDING,
    INSURANCE,
    MARGIN_INSURANCE,
    POOL,
    WORLD,
    PostingReason,
)
from risk.tallies import Flow
from tests.exchange.eventful import eventful, the_rest
from tests.story import Story, again, refusal, standing, units

SPOT = "BTC-USDT"
PERP = "BTC-USDT-PERP"


@pytest.fixture
def story() -> Story:
    story = Story()
    eventful(story)
    return story


def owned(found: Audit) -> dict[str, dict[str, int]]:
    """What is somebody's, without those who have nothing."""
    return {
        asset: {name: minor for name, minor in owners.items() if minor}
        for asset, owners in found.assets.items()
    }


def test_i1_of_every_asset_all_that_exists_is_what_came_in(story: Story) -> None:
    the_rest(story)
    found = audit(story.engine)
    assert (found.ok, found.violations) == (True, [])
    assert found.checked_at_seq == story.engine.seq
    assert set(found.assets) >= {"USDT", "BTC", "ETH"}
    for owners in found.assets.values():
        assert owners["sum"] == 0
        assert sum(owners.values()) == 0
        assert owners["world"] < 0  # Deposits, and the capital of pool and funds.


def test_an_audit_says_who_has_what(story: Story) -> None:
    """The pool of ETH has all its capital; of USDT 2,000 are lent, and 200 more to the order
    for 1,200 on isolated margin."""
    usdt = audit(story.engine).assets["USDT"]
    venue = story.venue
    lent = sum(
        loan.principal_minor
        for account in story.engine.risk.accounts.values()
        for loan in account.loans.values()
        if loan.asset == "USDT"
    )
    assert lent == units("2200")
    capital = {each.asset: each.pool_capital_minor for each in venue.assets}
    assert usdt["pool"] == capital["USDT"] - lent
    assert audit(story.engine).assets["ETH"]["pool"] == capital["ETH"]
    assert usdt["margin_insurance"] == venue.margin_insurance_minor
    assert usdt["fees"] > 0
    users = sum(
        pocket.minor
        for number, account in story.engine.risk.accounts.items()
        for (_, asset), pocket in account.pockets.items()
        if number >= 100 and asset == "USDT"
    )
    assert usdt["users"] == users


def test_an_audit_changes_nothing(story: Story) -> None:
    before = standing(story.engine)
    audit(story.engine)
    assert standing(story.engine) == before


def test_a_restored_engine_is_found_the_same(story: Story) -> None:
    lived, restored = audit(story.engine), audit(again(story.engine))
    assert owned(restored) == owned(lived)
    assert restored._replace(assets={}) == lived._replace(assets={})


# -- what is planted ---------------------------------------------------------------------------


def _money_from_nowhere(story: Story) -> None:
    story.engine.risk.ledger.house(FEES, "USDT").minor += 1


def _a_wallet_that_grew(story: Story) -> None:
    story.engine.risk.accounts[100].pockets["spot", "USDT"].minor += 7


def _a_loan_that_nobody_gave(story: Story) -> None:
    loan = story.engine.risk.accounts[101].loans["margin", "ETH"] = Loan(99, "margin", "ETH")
    loan.principal_minor = 1


def _interest_that_nobody_charged(story: Story) -> None:
    next(iter(story.engine.risk.accounts[100].loans.values())).interest_e18 += 1


def _a_position_without_its_other_side(story: Story) -> None:
    story.engine.risk.accounts[100].positions[PERP].lots += 1


def _a_cost_that_nobody_realised(story: Story) -> None:
    story.engine.risk.accounts[100].positions[PERP].cost_minor += 1


def _funding_that_went_astray(story: Story) -> None:
    risk = story.engine.risk
    ledger = risk.ledger
    ledger.post(
        ledger.house(FEES, "USDT"),
        ledger.house(FUNDING, "USDT", f"{PERP}@1"),
        1,
        PostingReason.FUNDING,
    )


def _a_hold_without_an_order(story: Story) -> None:
    story.engine.risk.accounts[100].pockets["spot", "USDT"].locked += 1


def _a_wallet_below_zero(story: Story) -> None:
    ledger, risk = story.engine.risk.ledger, story.engine.risk
    pocket = risk.pocket(risk.accounts[100], "margin", "ETH")
    pocket.minor -= 5
    ledger.house(FEES, "ETH").minor += 5


def _a_fund_that_paid_for_nothing(story: Story) -> None:
    ledger = story.engine.risk.ledger
    fund = ledger.house(MARGIN_INSURANCE, "USDT")
    ledger.post(fund, ledger.house(FEES, "USDT"), 1, PostingReason.FEE)


def _an_order_that_sleeps_nowhere(story: Story) -> None:
    """A stop that the account of its owner forgot."""
    seller = story.account("seller", spot_BTC="1")
    stop = {"type": OrderType.STOP, "trigger_ticks": 4_000_000}
    assert refusal(story.sell(seller, "BTC-USDT", "0.1", **stop)) is None
    story.person(seller).asleep.clear()


PLANTED = [
    (_money_from_nowhere, "I1", "USDT: the pockets add up to 1 units"),
    (_a_wallet_that_grew, "I1", "account 100: balance of USDT: "),
    (_a_loan_that_nobody_gave, "I2", "account 101: principal of ETH: 1, was 0"),
    (_interest_that_nobody_charged, "I2", "account 100: interest of "),
    (_a_position_without_its_other_side, "I3", f"account 100: lots of {PERP}: "),
    (_a_cost_that_nobody_realised, "I3", f"account 100: cost of {PERP}: "),
    (_funding_that_went_astray, "I4", f"{PERP}@1: 1 units in transit"),
    (_a_hold_without_an_order, "I5", "account 100: locked of USDT: "),
    (_a_wallet_below_zero, "I9", "100: "),
    (_a_fund_that_paid_for_nothing, "I10", "margin_insurance:house:USDT: it holds "),
    (_an_order_that_sleeps_nowhere, "I12", "its owner does not know "),
]


@pytest.mark.parametrize(("plant", "invariant", "says"), PLANTED)
def test_what_no_event_tells_of_is_found_within_a_round(
    story: Story, plant: Callable[[Story], None], invariant: str, says: str
) -> None:
    """I1-I5, I9, by an auditor that has followed the exchange; it says which, who and how much."""
    auditor = following(story)
    plant(story)
    for _ in range(story.engine.risk.next_account_id):
        auditor.turn(accounts=1, books=1)
    found = auditor.look()
    assert not found.ok
    assert [
        each for each in found.violations if (each.invariant == invariant) and says in each.says
    ]


@pytest.mark.parametrize(("plant", "invariant"), [each[:2] for each in PLANTED])
def test_what_is_planted_is_found_by_looking_at_everything(
    story: Story, plant: Callable[[Story], None], invariant: str
) -> None:
    plant(story)
    found = audit(story.engine)
    assert not found.ok
    assert invariant in {each.invariant for each in found.violations}, found.violations
    with pytest.raises(InvariantBroken):
        story.engine.check()


# -- following ---------------------------------------------------------------------------------


def following(story: Story) -> Auditor:
    """An auditor that is told of every command from now on."""
    auditor = Auditor(story.engine).begin()
    assert auditor.look().ok
    apply = story.engine.apply

    def told(command: AnyCommand) -> list[AnyEvent]:
        events = apply(command)
        auditor.on_group([events])
        return events

    story.engine.apply = told  # type: ignore[method-assign]
    return auditor


def test_an_auditor_that_follows_has_the_sums_of_one_that_reads_everybody(story: Story) -> None:
    """Its parts come of events alone: nobody is looked at again whom no event named."""
    auditor = following(story)
    the_rest(story)
    found, whole = auditor.look(), audit(story.engine)
    assert found.violations == whole.violations == []
    assert owned(found) == owned(whole)
    assert found.checked_at_seq == whole.checked_at_seq == story.engine.seq


def test_a_round_of_small_turns_looks_at_everybody_and_every_book(story: Story) -> None:
    auditor = following(story)
    engine = story.engine
    people = engine.risk.next_account_id - 100 + 1  # The house's two come in one step.
    for _ in range(people - 1):
        auditor.turn(accounts=1, books=0)
    assert auditor.rounds == 0
    assert "I5" not in auditor.look().checked
    story.wait(1_000)
    auditor.turn(accounts=1, books=0)
    assert auditor.rounds == 1
    for _ in range(len(engine.books) - 1):
        auditor.turn(accounts=0, books=1)
    assert "I6" not in auditor.look().checked
    auditor.turn(accounts=0, books=1)
    checked = auditor.look().checked
    whole = {f"I{number}" for number in range(1, 14)}
    assert set(checked) == whole
    assert set(checked.values()) == {engine.seq}


def test_i7_a_trade_id_that_is_left_out_is_found(story: Story) -> None:
    auditor = following(story)
    story.engine.trading.trade_ids["BTC-USDT"] += 1
    one, two = story.account(spot_USDT="1000"), story.account(spot_BTC="1")
    story.buy(one, "BTC-USDT", "0.01", "50000")
    story.sell(two, "BTC-USDT", "0.01", "50000")
    (violation,) = auditor.look().violations
    assert violation.invariant == "I7"
    assert "after" in violation.says


def test_i13_a_command_out_of_order_is_found(story: Story) -> None:
    auditor = following(story)
    (events,) = [story.wait(1_000)]
    auditor.on_group([events])  # The same again.
    (violation,) = auditor.look().violations
    assert violation.invariant == "I13"


def test_i11_brackets_that_fall_are_found(story: Story) -> None:
    perps = story.engine.risk.perps
    first, second = perps[PERP].brackets[:2]
    perps[PERP] = msgspec.structs.replace(perps[PERP], brackets=(second, first))
    found = audit(story.engine)
    assert [each.invariant for each in found.violations] == ["I11"]
    assert found.violations[0].says.startswith(PERP)


def test_a_violation_is_logged_once_stays_and_does_not_stop_the_auditor(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    auditor = following(story)
    _money_from_nowhere(story)
    for _ in range(3):
        auditor.turn(accounts=1, books=1)
    story.engine.risk.ledger.house(FEES, "USDT").minor -= 1
    assert not auditor.look().ok
    assert auditor.found == 1
    (record,) = [each for each in caplog.records if "invariant is broken" in each.message]
    assert "I1" in record.message
    assert "add up to 1 units" in record.message
    assert auditor.look().checked_at_seq == story.engine.seq


def test_what_a_check_stumbles_over_is_a_violation_too(story: Story) -> None:
    auditor = following(story)
    account = story.engine.risk.accounts[100]
    order = next(iter(account.orders.values()))
    order.symbol = "NOWHERE"
    auditor.whole()
    assert any("NOWHERE" in each.says for each in auditor.look().violations)


async def test_a_running_auditor_goes_round_by_itself(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of all accounts a turn, the three people and, in one step, the house: one round."""
    monkeypatch.setattr(exchange.audit, "TURN_EVERY_S", 0.001)
    auditor = Auditor(story.engine, interval_s=0.002).begin()
    turns, turn, enough = [], auditor.turn, asyncio.Event()

    def counted(accounts: int, books: int) -> None:
        turn(accounts, books)
        turns.append((auditor.rounds, accounts, books))
        if len(turns) >= 2:
            enough.set()

    monkeypatch.setattr(auditor, "turn", counted)
    task = asyncio.create_task(auditor.run())
    await enough.wait()
    task.cancel()
    assert len(story.engine.risk.accounts) == 7  # Three people, and accounts of the house.
    assert turns[:2] == [(1, 4, 3), (1, 4, 3)]  # The step behind the last begins anew.
    assert auditor.look().ok


# -- deficits ----------------------------------------------------------------------------------


def test_without_a_deficit_nothing_is_named(story: Story) -> None:
    assert deficits(story.engine) == {}


def test_p13_the_deficit_of_an_insurance_fund_is_named(story: Story) -> None:
    """It paid what it did not have; all sums are right, and it is no fault."""
    risk = story.engine.risk
    fund = risk.pocket(risk.accounts[INSURANCE], "perp", "USDT")
    fees = risk.ledger.house(FEES, "USDT")
    risk.tallies.note(fund, Flow.COVERS, -(fund.minor + 30))
    risk.ledger.post(fund, fees, fund.minor + 30, PostingReason.INSURANCE)
    found = audit(story.engine)
    assert (found.ok, found.deficits) == (True, {"insurance:USDT": -30})


def test_m10_principal_that_nobody_repaid_is_named_as_bad_debt(story: Story) -> None:
    """As the pool books it: what is written off is neither in it nor owed to it any more."""
    risk = story.engine.risk
    loan = risk.accounts[100].loans.pop(("margin", "BTC"))
    assert not audit(story.engine).ok
    risk.bad_debt["BTC"] = loan.principal_minor
    risk.interest_due["BTC"] -= loan.interest_e18
    risk.note_exposure(risk.accounts[100])
    found = audit(story.engine)
    assert (found.ok, found.deficits) == (True, {"bad_debt:BTC": -units("0.15")})


def test_an_audit_of_the_first_moment_finds_the_capital_of_pools_and_funds() -> None:
    story = Story()
    found = audit(story.engine)
    ledger, venue = story.engine.risk.ledger, story.venue
    assert owned(found)["USDT"] == {
        "world": ledger.house(WORLD, "USDT").minor,
        "insurance": venue.insurance_minor,
        "margin_insurance": ledger.house(MARGIN_INSURANCE, "USDT").minor,
        "pool": ledger.house(POOL, "USDT").minor,
    }
