"""Tests of loans as they are taken and repaid, and of transfers that margin allows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from exchange.commands import Borrow, CancelOrder, PlaceOrder, Repay, Transfer
from exchange.events import InterestCharged, LoanChanged
from matching.reasons import Reason
from matching.types import OrderType, Side
from risk.ledger import POOL, ROUNDING
from tests.risk.stories import owe_interest
from tests.story import Story, again, of, refusal, small_venue, units
from tests.vectors import exact, vectors

HOUR = 3_600_000


@pytest.fixture
def story() -> Story:
    return Story()


def _borrow(
    story: Story, account: int, asset: str, amount: str, wallet: str = "margin"
) -> Reason | None:
    return refusal(
        story.do(Borrow, account_id=account, wallet=wallet, asset=asset, amount_minor=units(amount))
    )


def test_m5_v21_a_3x_account_borrows_twice_its_own(story: Story) -> None:
    """(1000 - 1.5 x 0) / (1.5 - 1) = 2000."""
    account = story.account(margin_USDT="1000")
    assert _borrow(story, account, "USDT", "2000.00000001") is Reason.COLLATERAL_TOO_LOW
    assert _borrow(story, account, "USDT", "2000") is None
    assert story.person(account).minor("margin", "USDT") == units("3000")


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000


@pytest.mark.parametrize("vector", vectors(["interest_schedule"], on="engine"))
def test_m7_v16_an_hour_is_charged_at_once_and_at_every_top_of_the_hour(
    vector: dict[str, Any],
) -> None:
    """1000 at 0.001 % an hour: 0.01 at 13:55 and 0.01 at 14:00 make 0.02 at 14:30."""
    told, expected = vector["inputs"], vector["expected"]
    borrowed_ms = _moment(told["borrowed_at"])
    story = Story(small_venue(start_ms=borrowed_ms - 60_000))
    account = story.account(margin_USDT="1000")
    story.wait(borrowed_ms - story.now_ms)
    assert _borrow(story, account, "USDT", told["principal"]) is None
    story.wait(_moment(told["until"]) - story.now_ms)
    charges = of(story.events, InterestCharged)
    assert [each.due_ms for each in charges] == [_moment(at) for at in expected["accrued_at"]]
    assert {each.rate_e12 for each in charges} == {exact(told["hourly_rate"], 12)}
    owed = story.person(account).loans["margin", "USDT"].interest_e18
    assert owed == exact(expected["interest"], 18)


def test_m7_a_loan_taken_at_the_top_of_the_hour_is_charged_once(story: Story) -> None:
    account = story.account(margin_USDT="1000")
    story.wait(HOUR - story.now_ms % HOUR)
    assert _borrow(story, account, "USDT", "1000") is None
    assert len(of(story.wait(HOUR - 1_000), InterestCharged)) == 0
    assert len(of(story.wait(1_000), InterestCharged)) == 1


def test_m8_v25_interest_is_repaid_before_principal(story: Story) -> None:
    """Principal 1000, interest 3.25, repay 500: 503.25 stays; then no more than that is taken."""
    account = story.account(margin_USDT="3000")
    assert _borrow(story, account, "USDT", "1000") is None
    loan = story.person(account).loans["margin", "USDT"]
    owe_interest(story, account, "margin", "USDT", "3.25")
    story.ok(Repay, account_id=account, wallet="margin", asset="USDT", amount_minor=units("500"))
    assert (loan.interest_e18, loan.principal_minor) == (0, units("503.25"))
    before = story.person(account).minor("margin", "USDT")
    events = story.ok(
        Repay, account_id=account, wallet="margin", asset="USDT", amount_minor=units("600")
    )
    (repaid,) = of(events, LoanChanged)
    assert repaid.repaid_principal_minor == units("503.25")
    assert before - story.person(account).minor("margin", "USDT") == units("503.25")
    assert ("margin", "USDT") not in story.person(account).loans


def test_m7_v26_what_rounding_took_beyond_the_interest_goes_to_the_rounding_account(
    story: Story,
) -> None:
    """Each repayment collects part of a unit; when the parts make a unit it is posted."""
    account = story.account(margin_USDT="1000")
    taken_e18 = 0
    for _ in range(3):
        assert _borrow(story, account, "USDT", "0.00012346") is None
        owed = story.person(account).loans["margin", "USDT"].interest_e18
        taken_e18 += -owed % 10**10
        story.ok(Repay, account_id=account, wallet="margin", asset="USDT")
    risk = story.engine.risk
    posted = risk.ledger.house(ROUNDING, "USDT").minor
    assert taken_e18 == posted * 10**10 + risk.rounded_e18["USDT"]
    assert posted >= 2


def test_the_pool_lends_no_more_than_it_has(story: Story) -> None:
    account = story.account(margin_USDT="1000000000")
    risk = story.engine.risk
    have = risk.ledger.house(POOL, "ETH").minor
    limit = risk.assets["ETH"].borrow_limit_minor
    story.deposit(account, "margin", "USDT", "1000000000")
    refused = story.do(
        Borrow, account_id=account, wallet="margin", asset="ETH", amount_minor=have + 1
    )
    assert refusal(refused) is Reason.INSUFFICIENT_INVENTORY
    refused = story.do(
        Borrow, account_id=account, wallet="margin", asset="ETH", amount_minor=limit + 1
    )
    assert refusal(refused) in (Reason.BORROW_LIMIT, Reason.INSUFFICIENT_INVENTORY)


def test_spot_and_perpetual_wallets_do_not_borrow(story: Story) -> None:
    account = story.account(spot_USDT="1000", perp_USDT="1000")
    assert _borrow(story, account, "USDT", "10", "spot") is Reason.NOT_BORROWABLE
    assert _borrow(story, account, "USDT", "10", "perp") is Reason.NOT_BORROWABLE


def test_an_isolated_wallet_holds_only_its_pair(story: Story) -> None:
    account = story.account(**{"isolated:BTC-USDT_USDT": "1000"})
    wallet = "isolated:BTC-USDT"
    assert _borrow(story, account, "ETH", "0.1", wallet) is Reason.ASSET_NOT_IN_WALLET
    assert _borrow(story, account, "USDT", "10", "isolated:XYZ-USDT") is Reason.UNKNOWN_WALLET


def test_m4_a_transfer_that_would_breach_the_level_is_refused(story: Story) -> None:
    """3x: collateral / debt must stay above 2. 3000 - x >= 2 x 1000.01 leaves 999.98 free to go."""
    account = story.account(margin_USDT="2000")
    assert _borrow(story, account, "USDT", "1000") is None

    def out(amount: str) -> Reason | None:
        return refusal(
            story.do(
                Transfer,
                account_id=account,
                source="margin",
                target="spot",
                asset="USDT",
                amount_minor=units(amount),
            )
        )

    assert out("999.99") is Reason.TRANSFER_WOULD_BREACH_MARGIN
    assert out("999.98") is None


def test_s11_a_hold_cannot_be_transferred(story: Story) -> None:
    account = story.account(spot_USDT="1000")
    story.buy(account, "BTC-USDT", "0.01", "50000")
    events = story.do(
        Transfer,
        account_id=account,
        source="spot",
        target="margin",
        asset="USDT",
        amount_minor=units("500.00000001"),
    )
    assert refusal(events) is Reason.INSUFFICIENT_BALANCE


def test_m6_margin_buy_borrows_what_is_missing_and_repays_it_on_cancel(story: Story) -> None:
    """1,000 own, an order of 2,500: 1,500 are borrowed at placement; the first hour stays due."""
    account = story.account(margin_USDT="1000")
    events = story.buy(account, "BTC-USDT", "0.05", "50000", wallet="margin", side_effect=1)
    assert refusal(events) is None
    loan = story.person(account).loans["margin", "USDT"]
    assert loan.principal_minor == units("1500")
    (order,) = story.person(account).orders.values()
    story.ok(CancelOrder, account_id=account, order_id=order.order_id)
    # 1,500 x 0.001 % = 0.015 of interest is paid first, so as much principal stays.
    assert loan.interest_e18 == 0
    assert loan.principal_minor == units("0.015")


def test_m6_what_better_prices_saved_is_repaid_when_the_rest_is_cancelled(story: Story) -> None:
    """1,000 own and 4,000 borrowed for 0.1 at 50,000; 0.05 come for 2,450 at 49,000. Of 5,000 are
    2,550 left: 0.04 of interest and 2,549.96 are repaid, and 1,450.04 were used."""
    seller = story.account("seller", spot_BTC="1")
    story.sell(seller, "BTC-USDT", "0.05", "49000")
    account = story.account(margin_USDT="1000", margin_ETH="2")
    events = story.buy(account, "BTC-USDT", "0.1", "50000", wallet="margin", side_effect=1)
    assert refusal(events) is None
    (order,) = story.person(account).orders.values()
    story.ok(CancelOrder, account_id=account, order_id=order.order_id)
    assert story.person(account).loans["margin", "USDT"].principal_minor == units("1450.04")
    assert story.person(account).minor("margin", "USDT") == 0


def test_m6_without_auto_repay_at_cancel_the_loan_stays_and_is_charged(story: Story) -> None:
    account = story.account(margin_USDT="1000")
    events = story.buy(
        account,
        "BTC-USDT",
        "0.05",
        "50000",
        wallet="margin",
        side_effect=1,
        auto_repay_at_cancel=False,
    )
    assert refusal(events) is None
    (order,) = story.person(account).orders.values()
    assert again(story.engine).risk.accounts[account].orders[order.order_id] != order
    story.ok(CancelOrder, account_id=account, order_id=order.order_id)
    loan = story.person(account).loans["margin", "USDT"]
    assert loan.principal_minor == units("1500")
    assert not story.person(account).order_loans
    assert len(of(story.wait(HOUR), InterestCharged)) == 1


def test_m6_margin_buy_borrows_nothing_where_the_money_is_there(story: Story) -> None:
    account = story.account(margin_USDT="2500")
    story.buy(account, "BTC-USDT", "0.05", "50000", wallet="margin", side_effect=1)
    assert not story.person(account).loans


def test_m6_without_a_side_effect_nothing_is_borrowed_and_nothing_repaid(story: Story) -> None:
    account = story.account(margin_USDT="1000", margin_BTC="1")
    refused = story.buy(account, "BTC-USDT", "0.05", "50000", wallet="margin")
    assert refusal(refused) is Reason.INSUFFICIENT_BALANCE
    assert _borrow(story, account, "USDT", "1000") is None
    story.buy(story.account("buyer", spot_USDT="100000"), "BTC-USDT", "0.1", "50000")
    story.sell(account, "BTC-USDT", "0.1", "50000", wallet="margin")
    assert story.person(account).loans["margin", "USDT"].principal_minor == units("1000")


def test_m6_borrow_and_repay_sells_short_and_pays_off_the_quote(story: Story) -> None:
    """0.05 BTC are borrowed and sold for 2,500 less 2.5, which repay 0.01 and 1,000 of USDT."""
    account = story.account(margin_USDT="5000")
    assert _borrow(story, account, "USDT", "1000") is None
    story.buy(story.account("buyer", spot_USDT="100000"), "BTC-USDT", "0.05", "50000")
    events = story.sell(account, "BTC-USDT", "0.05", "50000", wallet="margin", side_effect=3)
    assert refusal(events) is None
    loans = story.person(account).loans
    assert list(loans) == [("margin", "BTC")]
    assert loans["margin", "BTC"].principal_minor == units("0.05")
    assert story.person(account).minor("margin", "USDT") == units("7497.49")


def test_t24_auto_repay_takes_the_proceeds_and_nothing_that_is_held(story: Story) -> None:
    """10,000 and 5,000 borrowed, 14,000 of it held by an order; 2,497.5 come in and repay as
    much: 1,000 stay free and 14,000 held."""
    account = story.account(margin_USDT="10000", margin_BTC="0.05")
    assert _borrow(story, account, "USDT", "5000") is None
    story.buy(account, "BTC-USDT", "0.35", "40000", wallet="margin")
    story.buy(story.account("buyer", spot_USDT="100000"), "BTC-USDT", "0.05", "50000")
    story.sell(account, "BTC-USDT", "0.05", "50000", wallet="margin", side_effect=2)
    pocket = story.person(account).pockets["margin", "USDT"]
    assert (pocket.minor, pocket.locked) == (units("15000"), units("14000"))
    # 0.05 of interest is paid first.
    assert story.person(account).loans["margin", "USDT"].principal_minor == units("2502.55")


def test_t26_a_debt_of_less_than_a_unit_is_swept_and_all_may_leave(story: Story) -> None:
    """Half a unit of interest is owed: with it, twice of it must stay; a unit repays it."""
    account = story.account(margin_USDT="100")
    assert _borrow(story, account, "USDT", "1") is None
    owe_interest(story, account, "margin", "USDT", "0")
    risk, person = story.engine.risk, story.person(account)
    loan = person.loans["margin", "USDT"]
    loan.interest_e18 += 5 * 10**9
    risk.interest_due["USDT"] += 5 * 10**9
    wish = {"account_id": account, "asset": "USDT"}
    story.ok(Repay, wallet="margin", amount_minor=units("1"), **wish)
    assert (loan.principal_minor, loan.interest_e18) == (1, 0)
    loan.interest_e18 = 5 * 10**9
    risk.interest_due["USDT"] += 5 * 10**9
    leave = {"source": "margin", "target": "spot", "amount_minor": units("100") - 1} | wish
    assert refusal(story.do(Transfer, **leave)) is Reason.TRANSFER_WOULD_BREACH_MARGIN
    story.ok(Repay, wallet="margin", **wish)
    assert not person.loans
    assert person.minor("margin", "USDT") == units("100") - 2
    story.ok(Transfer, **(leave | {"amount_minor": person.minor("margin", "USDT")}))


def test_m6_auto_repay_uses_what_the_fill_brought(story: Story) -> None:
    maker = story.account("maker", spot_USDT="100000")
    account = story.account(margin_USDT="10000")
    assert _borrow(story, account, "USDT", "5000") is None
    story.deposit(account, "margin", "BTC", "0.1")
    story.buy(maker, "BTC-USDT", "0.1", "50000")
    story.do(
        PlaceOrder,
        account_id=account,
        symbol="BTC-USDT",
        side=Side.SELL,
        type=OrderType.MARKET,
        lots=5_000,
        wallet="margin",
        side_effect=2,
    )
    # 0.05 x 50,000 = 2,500 less the fee of 2.5: 2,497.5 repay 0.05 of interest and 2,497.45.
    loan = story.person(account).loans["margin", "USDT"]
    assert loan.principal_minor == units("2502.55")
    assert story.person(account).minor("margin", "USDT") == units("15000")
