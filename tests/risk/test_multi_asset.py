"""Tests of multi-asset mode: what a wallet of several assets counts, gives away and owes (P18)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exchange.commands import (
    Deposit,
    FeedPrices,
    ResetAccount,
    SetMarginMode,
    SetMultiAsset,
    Transfer,
)
from exchange.events import InterestCharged, LiquidationStarted, SettingChanged
from matching.instrument import Instrument
from matching.reasons import Reason
from matching.types import Side
from risk.account import PERP, Account
from risk.engine import RiskEngine, new_risk_engine
from risk.ledger import INSURANCE
from risk.margin_worth import max_transfer_out
from risk.money import E12
from risk.multi_asset import collateral_sources, wallet_e28
from risk.parameters import SpotParameters, Venue
from risk.perp_report import collateral_report, perp_report
from risk.perp_worth import cross_legs, perp_bands, perp_worth, wallet_e16
from risk.position import Position
from tests.risk.stories import BTC_PERP, ETH_PERP, HOUR, NO_FEES, report, rich, spent, with_asset
from tests.story import Story, again, answer, of, refusal, small_venue, units
from tests.vectors import exact, vectors


def multi(story: Story, **deposits: str) -> int:
    """An account in multi-asset mode with deposits on the linear wallet, such as `BTC="0.1"`."""
    account = story.account("multi")
    story.ok(SetMultiAsset, account_id=account, on=True)
    for asset, amount in deposits.items():
        story.deposit(account, PERP, asset, amount)
    return account


def owing(story: Story, usdt: str, **deposits: str) -> int:
    """The same, which owes so much of the quote."""
    account = multi(story, **deposits)
    spent(story, account, PERP, "USDT", usdt)
    return account


def hold_position(story: Story, account: int, side: Side, qty: str, price: str) -> None:
    """A fill at 20x against somebody rich."""
    other = rich(story)
    assert refusal(story.place(other, side.opposite, BTC_PERP, qty, price)) is None
    assert refusal(story.place(account, side, BTC_PERP, qty, price, leverage=20)) is None


def fund_minor(story: Story) -> int:
    return story.engine.risk.accounts[INSURANCE].minor(PERP, "USDT")


@pytest.fixture
def story() -> Story:
    return Story(small_venue(fees=NO_FEES))


# -- what it is worth --------------------------------------------------------------------------


def with_usdc() -> Venue:
    """The venue with one more asset and its pair."""
    venue = small_venue()
    usdt = next(each for each in venue.assets if each.asset == "USDT")
    usdc = msgspec.structs.replace(usdt, asset="USDC")
    pair = Instrument(
        symbol="USDC-USDT",
        kind="spot",
        base="USDC",
        quote="USDT",
        settle="USDT",
        tick="0.0001",
        lot="0.1",
        notional_min_minor=1,
    )
    return msgspec.structs.replace(
        venue,
        assets=(*venue.assets, usdc),
        instruments=(*venue.instruments, pair),
        spots=(*venue.spots, SpotParameters("USDC-USDT", ())),
    )


@pytest.mark.parametrize("vector", vectors(["multi_asset_equity"], on="engine"))
def test_v76_positive_balances_count_by_their_ratio_and_debts_in_full(vector: Any) -> None:
    """1,000 + 0.1 x 50,000 x 0.95 - 200 = 5,550."""
    story = Story(with_usdc())
    account = multi(story)
    risk = story.engine.risk
    for each in vector["inputs"]["balances"]:
        asset, quantity = each["asset"], each["quantity"]
        assert risk.price_e8(asset) == exact(each["price"])
        if quantity.startswith("-"):
            spent(story, account, PERP, asset, quantity[1:])
        else:
            assert risk.assets[asset].perp_ratio_e12 == exact(each["collateral_ratio"], 12)
            story.deposit(account, PERP, asset, quantity)
    worth = perp_worth(risk, story.person(account))
    assert worth.balance_e16 == exact(vector["expected"]["equity"], 16)
    story.engine.check()


def test_p18_an_order_is_carried_by_coins_alone_and_its_fee_is_owed() -> None:
    """0.1 BTC count 4,750; 1 BTC at 50,000 and 20x takes 2,500, and 25 of fee as a taker."""
    story = Story()
    account = multi(story, BTC="0.1")
    hold_position(story, account, Side.BUY, "1", "50000")
    person = story.person(account)
    assert person.minor(PERP, "USDT") == units("-25")
    worth = perp_worth(story.engine.risk, person)
    assert worth.balance_e16 == 4_725 * 10**16
    assert worth.available_minor == units("2225")  # 4,725 - 2,500
    over = story.buy(account, BTC_PERP, "1", "50000")
    assert refusal(over) is Reason.INSUFFICIENT_MARGIN


def test_p18_profit_and_loss_are_settled_in_the_quote(story: Story) -> None:
    """A long of 1 from 50,000 to 48,000 owes 2,000; 0.1 BTC count 0.1 x 48,000 x 0.95 = 4,560."""
    account = multi(story, BTC="0.1")
    hold_position(story, account, Side.BUY, "1", "50000")
    story.index("BTC", "48000")
    hold_position(story, account, Side.SELL, "1", "48000")
    person = story.person(account)
    assert person.minor(PERP, "USDT") == units("-2000")
    assert person.minor(PERP, "BTC") == units("0.1")
    assert perp_worth(story.engine.risk, person).balance_e16 == 2_560 * 10**16


def test_p18_a_wallet_without_the_mode_holds_the_quote_alone(story: Story) -> None:
    account = story.account(spot_BTC="1")
    fields = {"account_id": account, "asset": "BTC", "amount_minor": units("1")}
    for events in (
        story.do(Deposit, wallet=PERP, **fields),
        story.do(Transfer, source="spot", target=PERP, **fields),
    ):
        assert refusal(events) is Reason.ASSET_NOT_IN_WALLET
    story.ok(SetMultiAsset, account_id=account, on=True)
    story.ok(Transfer, source="spot", target=PERP, **fields)
    assert story.person(account).minor(PERP, "BTC") == units("1")


def test_p18_an_asset_of_no_ratio_is_not_accepted() -> None:
    story = Story(with_asset(small_venue(), "ETH", perp_ratio_e12=0))
    account = multi(story)
    ether = {"account_id": account, "wallet": PERP, "asset": "ETH", "amount_minor": 1}
    assert refusal(story.do(Deposit, **ether)) is Reason.ASSET_NOT_IN_WALLET


# -- the setting -------------------------------------------------------------------------------


def test_p18_the_setting_is_told_once_kept_and_cleared_by_a_reset(story: Story) -> None:
    account = story.account()
    (told,) = of(story.ok(SetMultiAsset, account_id=account, on=True), SettingChanged)
    assert (told.name, told.value, told.symbol) == ("multi_asset", "on", "")
    assert not of(story.ok(SetMultiAsset, account_id=account, on=True), SettingChanged)
    assert again(story.engine).risk.accounts[account].multi_asset
    story.ok(ResetAccount, account_id=account)
    assert not story.person(account).multi_asset
    assert account not in story.engine.risk.instants.exposed


def test_p18_isolated_margin_and_several_assets_exclude_each_other(story: Story) -> None:
    account = story.account()
    mode = {"account_id": account, "symbol": ETH_PERP}
    story.ok(SetMarginMode, isolated=True, **mode)
    refused = story.do(SetMultiAsset, account_id=account, on=True)
    assert refusal(refused) is Reason.ISOLATED_MARGIN_SET
    assert answer(refused).details["symbol"] == ETH_PERP
    story.ok(SetMarginMode, isolated=False, **mode)
    story.ok(SetMultiAsset, account_id=account, on=True)
    assert refusal(story.do(SetMarginMode, isolated=True, **mode)) is Reason.MULTI_ASSET_ON


def test_p18_an_inverse_contract_keeps_its_own_wallet_and_may_be_isolated() -> None:
    story = Story(small_venue(symbols=("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")))
    account = multi(story)
    story.ok(SetMarginMode, account_id=account, symbol="BTC-USD-PERP", isolated=True)


@pytest.mark.parametrize(("asset", "amount"), [("BTC", "0.1"), ("USDT", "-5")])
def test_p18_the_mode_ends_only_with_nothing_but_the_quote_and_no_debt(
    story: Story, asset: str, amount: str
) -> None:
    account = multi(story)
    if amount.startswith("-"):
        spent(story, account, PERP, asset, amount[1:])
    else:
        story.deposit(account, PERP, asset, amount)
    refused = story.do(SetMultiAsset, account_id=account, on=False)
    assert refusal(refused) is Reason.COLLATERAL_IN_WALLET
    assert story.person(account).multi_asset


# -- what may leave ----------------------------------------------------------------------------


def test_p5_of_each_asset_so_much_may_leave_that_what_is_needed_stays(story: Story) -> None:
    """1,000 USDT and 0.1 BTC of 4,750 carry 2,500: 3,250 are over."""
    account = multi(story, USDT="1000", BTC="0.1")
    hold_position(story, account, Side.BUY, "1", "50000")
    risk, person = story.engine.risk, story.person(account)
    assert max_transfer_out(risk, person, PERP, "USDT") == units("1000")
    # 3,250 / (50,000 x 0.95) = 0.068421052..., rounded down.
    assert max_transfer_out(risk, person, PERP, "BTC") == units("0.06842105")
    fields = {"account_id": account, "source": PERP, "target": "spot", "asset": "BTC"}
    over = story.do(Transfer, amount_minor=units("0.06842106"), **fields)
    assert refusal(over) is Reason.TRANSFER_WOULD_BREACH_MARGIN
    story.ok(Transfer, amount_minor=units("0.06842105"), **fields)


def test_p5_profit_that_is_not_realised_does_not_leave_in_coins_either(story: Story) -> None:
    """At 60,000 a long of 1 has made 10,000 and needs 3,000; 0.1 BTC count 5,700."""
    account = multi(story, BTC="0.1")
    hold_position(story, account, Side.BUY, "1", "50000")
    story.index("BTC", "60000")
    # (5,700 - 3,000) / (60,000 x 0.95) = 0.0473684...
    leaves = max_transfer_out(story.engine.risk, story.person(account), PERP, "BTC")
    assert leaves == units("0.04736842")
    assert max_transfer_out(story.engine.risk, story.person(account), PERP, "USDT") == 0


AMOUNTS = st.integers(0, 10**12)


def _risk() -> tuple[RiskEngine, Account]:
    """Risk at 50,000 and 2,500, and an account in multi-asset mode."""
    risk = new_risk_engine(VENUE)
    _reprice(risk, PRICES)
    account = risk.open_account("user", "one")
    account.multi_asset = True
    return risk, account


VENUE = small_venue(fees=NO_FEES)
PRICES = {"BTC": units("50000"), "ETH": units("2500")}


def _reprice(risk: RiskEngine, prices: dict[str, int], marks: dict[str, int] | None = None) -> None:
    for asset, price_e8 in prices.items():
        risk.indexes[f"{asset}-USDT"].index_e8 = price_e8
        risk.indexes[f"{asset}-USDT"].fresh = True
    for asset, price_e8 in (marks or prices).items():
        risk.marks[f"{asset}-USDT-PERP"].mark_e8 = price_e8


@given(
    st.integers(-(10**13), 10**13),
    AMOUNTS,
    AMOUNTS,
    st.integers(-(10**7), 10**7),
    st.integers(-(10**16), 10**16),
    st.sampled_from(["USDT", "BTC", "ETH"]),
)
def test_p5_what_may_leave_is_the_most_that_leaves_something_available(
    usdt: int, btc: int, eth: int, lots: int, gain: int, asset: str
) -> None:
    risk, account = _risk()
    for name, minor in (("USDT", usdt), ("BTC", btc), ("ETH", eth)):
        risk.pocket(account, PERP, name).minor = minor
    if lots:
        account.positions[BTC_PERP] = Position(BTC_PERP, lots, lots * PRICES["BTC"] // 1_000 + gain)
    most = max_transfer_out(risk, account, PERP, asset)
    held = account.minor(PERP, asset)
    assert 0 <= most <= max(0, held)

    def enough(minor: int) -> bool:
        """Whether what stays, without open profit, still carries all margin."""
        risk.pocket(account, PERP, asset).minor = held - minor
        worth = perp_worth(risk, account)
        own = wallet_e16(risk, account, PERP)
        return min(own, worth.balance_e16) >= worth.initial_e16

    assert most == 0 or enough(most)
    assert most == max(0, held) or not enough(most + 1)


# -- interest ----------------------------------------------------------------------------------


def test_p18_an_hour_of_interest_on_what_is_owed_goes_to_the_fund(story: Story) -> None:
    """1,000 at 0.001 % an hour: 0.01 a time, and the next on 1,000.01: 0.0100001."""
    account = owing(story, "1000", BTC="0.1")
    before = fund_minor(story)
    events = story.wait(HOUR)
    (told,) = of(events, InterestCharged)
    assert (told.wallet, told.asset, told.principal_minor) == (PERP, "USDT", units("1000"))
    assert (told.rate_e12, told.charged_e18, told.interest_e18) == (10**7, 10**16, 0)
    assert story.person(account).minor(PERP, "USDT") == units("-1000.01")
    story.wait(HOUR)
    assert story.person(account).minor(PERP, "USDT") == units("-1000.0200001")
    assert fund_minor(story) - before == units("0.0200001")


def test_p18_less_than_a_unit_of_interest_is_carried_and_counts_as_owed(story: Story) -> None:
    """0.00123456 x 0.001 % = 1.23456 x 10^-8: a unit is paid, 0.23456 of one is owed."""
    account = owing(story, "0.00123456", BTC="1")
    story.wait(HOUR)
    person = story.person(account)
    assert person.minor(PERP, "USDT") == -123_457
    assert person.perp_interest_e18 == {"USDT": 2_345_600_000}
    owed_e28 = 123_457 * 10**20 + 2_345_600_000 * 10**10
    worth_e28 = wallet_e28(story.engine.risk, person)
    assert worth_e28 == units("47500") * 10**20 - owed_e28
    assert again(story.engine).risk.accounts[account].perp_interest_e18 == person.perp_interest_e18
    # Whoever pays all pays the rest of a unit as a whole one (A4).
    story.deposit(account, PERP, "USDT", "1")
    btc = {"source": PERP, "target": "spot", "asset": "BTC", "amount_minor": units("1")}
    story.ok(Transfer, account_id=account, **btc)
    story.ok(SetMultiAsset, account_id=account, on=False)
    assert story.person(account).minor(PERP, "USDT") == units("1") - 123_457 - 1
    assert not story.person(account).perp_interest_e18


def test_p18_a_wallet_that_owes_nothing_is_charged_nothing(story: Story) -> None:
    account = multi(story, USDT="5", BTC="0.1")
    assert not of(story.wait(HOUR), InterestCharged)
    assert story.person(account).minor(PERP, "USDT") == units("5")


# -- bands and scans ---------------------------------------------------------------------------


def test_p18_a_collateral_that_falls_takes_the_wallet_to_its_liquidation(story: Story) -> None:
    """2 ETH count 2 x 0.95 x E, against 1,000 owed and maintenance of 0.4 % of 5,000, 20 (P11).

    1.9 E = 1,020 at E = 536.84...
    """
    account = owing(story, "1000", ETH="2")
    hold_position(story, account, Side.BUY, "0.1", "50000")
    story.index("ETH", "537")
    story.wait(1_000)
    assert not of(story.events, LiquidationStarted)
    story.index("ETH", "536.8")
    story.wait(1_000)
    (started,) = of(story.events, LiquidationStarted)
    assert (started.account_id, started.scope) == (account, PERP)


def test_p7_while_the_index_of_a_collateral_is_frozen_the_wallet_waits_and_keeps_it(
    story: Story,
) -> None:
    """The feed of ETH goes stale as BTC falls so far that the long is under water."""
    account = multi(story, ETH="2")
    hold_position(story, account, Side.BUY, "1", "50000")
    risk = story.engine.risk
    prices = {"ETH": units("2500")}
    story.do(FeedPrices, feed="reference", prices_e8=prices, stale_ms=0)
    story.wait(60_000)
    assert not risk.indexes["ETH-USDT"].fresh
    assert max_transfer_out(risk, story.person(account), PERP, "ETH") == 0
    story.index("BTC", "45000")
    story.wait(1_000)
    assert not of(story.events, LiquidationStarted)
    assert (account, PERP) in risk.waiting
    story.do(FeedPrices, feed="reference", prices_e8=prices, stale_ms=10**12)
    story.wait(1_000)
    assert [each.account_id for each in of(story.events, LiquidationStarted)] == [account]


@given(
    st.integers(-(10**15), 10**15),
    AMOUNTS,
    AMOUNTS,
    st.integers(-2_000_000, 2_000_000),
    st.integers(0, 10**10 - 1),
    st.data(),
)
def test_no_price_inside_its_bands_takes_a_wallet_of_several_assets_to_maintenance(
    usdt: int, btc: int, eth: int, lots: int, carried: int, data: st.DataObject
) -> None:
    """Marks and indexes move apart from each other, each anywhere strictly inside its band."""
    risk, account = _risk()
    for name, minor in (("USDT", usdt), ("BTC", btc), ("ETH", eth)):
        risk.pocket(account, PERP, name).minor = minor
    if carried:
        account.perp_interest_e18["USDT"] = carried
    if lots:
        account.positions[BTC_PERP] = Position(BTC_PERP, lots, lots * PRICES["BTC"] // 1_000)
    legs, collateral = cross_legs(risk, account), collateral_sources(risk, account)
    worth = perp_worth(risk, account)
    slack_e28 = worth.balance_e16 * E12 - worth.maintenance_e28
    assume(slack_e28 > 0)
    bands = perp_bands(risk, account, legs, slack_e28, collateral)
    assert [name for name, _, _ in bands] == legs + [f"{each.asset}-USDT" for each in collateral]
    moved: dict[str, int] = {}
    for source, low, high in bands:
        price_e8 = PRICES[source[:3]]
        assume((low or 0) < price_e8 != high)
        lowest = 1 if low is None else max(1, low + 1)
        highest = 100 * price_e8 if high is None else high - 1
        ends = st.sampled_from([lowest, highest])
        moved[source] = data.draw(ends | st.integers(lowest, highest), source)
    indexes = {asset: moved.get(f"{asset}-USDT", PRICES[asset]) for asset in PRICES}
    marks = {asset: moved.get(f"{asset}-USDT-PERP", PRICES[asset]) for asset in PRICES}
    _reprice(risk, indexes, marks)
    now = perp_worth(risk, account)
    assert now.balance_e16 * E12 > now.maintenance_e28


# -- what the owner is told --------------------------------------------------------------------


def test_p11_the_liquidation_price_takes_collateral_at_its_index(story: Story) -> None:
    """2 ETH count 4,750 behind a long of 1 from 50,000: 4,750 + P - 50,000 = 0.004 P, so
    P = 45,250 / 0.996 = 45,431.72690763; the scan agrees."""
    account = multi(story, ETH="2")
    hold_position(story, account, Side.BUY, "1", "50000")
    told = report(story, account)
    assert told.liquidation_e8 == units("45431.72690763")
    story.index("BTC", "45431.73")
    story.wait(1_000)
    assert not of(story.events, LiquidationStarted)
    story.index("BTC", "45431.72")
    story.wait(1_000)
    assert of(story.events, LiquidationStarted)


def test_p18_the_report_names_each_asset_and_what_it_counts(story: Story) -> None:
    """A profit of 2,000 counts in the balance and is nobody's collateral."""
    account = multi(story, ETH="2", USDT="10")
    hold_position(story, account, Side.BUY, "1", "50000")
    story.index("BTC", "52000")
    risk, person = story.engine.risk, story.person(account)
    ether, tether = collateral_report(risk, person, PERP)
    assert (ether.asset, ether.minor, ether.price_e8) == ("ETH", units("2"), units("2500"))
    assert (ether.ratio_e12, ether.value_e16) == (950_000_000_000, 4_750 * 10**16)
    # 4,760 less 2,600 of margin: 2,160 / 2,375 = 0.90947368...
    assert ether.withdrawable_minor == units("0.90947368")
    assert (tether.asset, tether.value_e16) == ("USDT", 10 * 10**16)
    whole = perp_report(risk, person)
    assert whole.unrealised_e16 == 2_000 * 10**16
    assert whole.margin_balance_e16 == 6_760 * 10**16
    assert collateral_report(risk, story.person(rich(story)), PERP) == []
