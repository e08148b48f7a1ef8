"""Tests of the risk engine's facade: capital, accounts, snapshots, and invariants that bite."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from exchange.commands import Borrow
from risk.account import Account
from risk.engine import RiskEngine, new_risk_engine
from risk.ledger import INSURANCE, MARGIN_INSURANCE, POOL
from tests.story import Story, small_venue, units


def test_funds_and_pools_have_their_capital_at_the_first_moment() -> None:
    venue = small_venue()
    risk = new_risk_engine(venue)
    assert risk.accounts[INSURANCE].minor("perp", "USDT") == venue.insurance_minor
    margin_fund = risk.ledger.house(MARGIN_INSURANCE, "USDT")
    assert margin_fund.minor == venue.margin_insurance_minor
    for asset in venue.assets:
        assert risk.ledger.house(POOL, asset.asset).minor == asset.pool_capital_minor
    risk.check()


def test_an_agent_is_found_again_by_its_label_and_given_nothing() -> None:
    risk = new_risk_engine(small_venue())
    agent = risk.open_account("agent", "maker")
    assert risk.labels == {"maker": agent.id}
    assert not agent.pockets


def _lively() -> Story:
    story = Story()
    long, short = story.account(perp_USDT="1000"), story.account(perp_USDT="1000")
    story.sell(short, "BTC-USDT-PERP", "0.02", "50000")
    story.buy(long, "BTC-USDT-PERP", "0.01", "50000")
    borrower = story.account(margin_USDT="1000")
    story.ok(Borrow, account_id=borrower, wallet="margin", asset="USDT", amount_minor=units("500"))
    story.buy(borrower, "BTC-USDT", "0.01", "40000", wallet="margin")
    story.wait(3_600_000)
    return story


def test_a_restored_engine_has_the_same_state() -> None:
    story = _lively()
    state = story.engine.risk.state()
    copy = RiskEngine(story.venue)
    copy.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(state)))
    assert msgspec.msgpack.encode(copy.state()) == msgspec.msgpack.encode(state)


def _more_lots(risk: RiskEngine) -> None:
    next(iter(_holders(risk))).positions["BTC-USDT-PERP"].lots += 1


def _less_cost(risk: RiskEngine) -> None:
    next(iter(_holders(risk))).positions["BTC-USDT-PERP"].cost_minor -= 1


def _forgotten_debt(risk: RiskEngine) -> None:
    for account in risk.accounts.values():
        for loan in account.loans.values():
            loan.principal_minor -= 1


def _lost_hold(risk: RiskEngine) -> None:
    for account in risk.accounts.values():
        for order in account.orders.values():
            order.hold_minor += 1


def _money_from_nothing(risk: RiskEngine) -> None:
    risk.ledger.house(POOL, "BTC").minor += 1


def _unwatched(risk: RiskEngine) -> None:
    risk.instants.exposed.clear()


def _holders(risk: RiskEngine) -> list[Account]:
    return [each for each in risk.accounts.values() if each.positions]


@pytest.mark.parametrize(
    "harm",
    [_more_lots, _less_cost, _forgotten_debt, _lost_hold, _money_from_nothing, _unwatched],
)
def test_no_harm_to_the_books_goes_unseen(harm: Callable[[RiskEngine], None]) -> None:
    risk = _lively().engine.risk
    risk.check()
    harm(risk)
    with pytest.raises(AssertionError):
        risk.check()
