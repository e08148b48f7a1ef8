"""Notices of the margin channel, each from an event by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exchange.events import (
    AccountOpened,
    Deleveraged,
    FeeTierChanged,
    FundingCharged,
    InterestCharged,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    LoanChanged,
    MarginCalled,
    SettingChanged,
)
from exchange.gateway.native.notices import NOTICES, cross_wallet, settle_asset
from tests.exchange.events_by_hand import INSTRUMENTS, PERP, START_MS, DeskByHand, event

DESK = DeskByHand()


def notice(kind: type, **more: Any) -> dict[str, Any]:
    """The notice of an event, as a client gets it."""
    say = NOTICES[kind](event(kind, **more), INSTRUMENTS, DESK)
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(say))
    return told


@pytest.mark.parametrize("kind", NOTICES)
def test_a_notice_tells_how_its_scope_stands(kind: type) -> None:
    told = notice(kind)
    assert told["notice"]
    assert told["collateral_level"] == "1.9"
    assert told["leverage"] == 3


def test_a_margin_call_names_what_it_takes_to_end_it() -> None:
    told = notice(MarginCalled)
    assert (told["notice"], told["state"], told["wallet"]) == ("margin_call", "called", "margin")
    assert (told["level"], told["call_level"]) == ("1.29", "1.3")
    assert (told["add"], told["asset"]) == ("123.45", "USDT")


def test_the_end_of_a_margin_call_is_told_too() -> None:
    told = notice(MarginCalled, cleared=True)
    assert (told["notice"], told["state"]) == ("margin_call_cleared", "normal")


def test_a_liquidation_starts_with_the_numbers_that_decided_it() -> None:
    told = notice(LiquidationStarted)
    assert (told["notice"], told["state"]) == ("liquidation_started", "liquidating")
    # 11 x 10^20 and 10^21 of 10^-16 USDT.
    assert (told["assets"], told["debt"], told["level"]) == ("110000", "100000", "1.1")
    assert "symbol" not in told
    assert "mark" not in told
    isolated = notice(
        LiquidationStarted, scope=f"perp/{PERP.symbol}", symbol=PERP.symbol, mark_e8=10**12
    )
    assert (isolated["symbol"], isolated["mark"]) == (PERP.symbol, "10000")


def test_a_step_tells_what_was_done_and_for_how_much() -> None:
    told = notice(LiquidationStepped)
    assert (told["step"], told["amount"], told["asset"]) == ("fee", "2.5", "USDT")
    assert (told["qty"], told["price"], told["symbol"]) == ("1.000", "50000.0", PERP.symbol)
    repaid = notice(LiquidationStepped, symbol="", step="repaid", lots=0, price_ticks=0)
    assert not {"qty", "price", "symbol"} & set(repaid)


def test_the_end_of_a_liquidation_tells_what_the_fund_paid() -> None:
    told = notice(LiquidationEnded, result="bankrupt", covered_minor=150_000_000)
    assert (told["result"], told["covered"], told["state"]) == ("bankrupt", "1.5", "normal")


def test_a_loan_is_told_with_its_present_price() -> None:
    told = notice(LoanChanged)
    assert (told["notice"], told["asset"]) == ("loan", "BTC")
    assert told["loan"] == {
        "wallet": "margin",
        "asset": "BTC",
        "principal": "2",
        "interest": "0.000006",
        "hourly_rate": "0.000003",
        "loan_id": 5,
        "borrowed": "2",
        "repaid_principal": "0",
        "repaid_interest": "0",
    }


def test_interest_is_told_with_its_inputs() -> None:
    told = notice(InterestCharged)
    # 2 BTC x 0.000003 an hour = 0.000006 BTC; with what was owed before, twice that.
    assert (told["principal"], told["rate"], told["amount"]) == ("2", "0.000003", "0.000006")
    assert (told["interest"], told["due"]) == ("0.000012", START_MS)


def test_funding_is_told_with_its_inputs() -> None:
    told = notice(FundingCharged)
    # A short of 2 BTC receives 2 x 50000 x 0.0001 = 10 USDT.
    assert (told["qty"], told["mark"], told["rate"]) == ("-2.000", "50000", "0.0001")
    assert (told["amount"], told["asset"]) == ("10", "USDT")


def test_settings_and_resets_are_told() -> None:
    assert notice(SettingChanged)["wallet"] == "perp"
    of_margin = notice(SettingChanged, symbol="", name="margin_leverage", value="5")
    assert (of_margin["wallet"], of_margin["setting"]) == ("margin", "margin_leverage")
    assert notice(AccountOpened)["notice"] == "account_opened"
    reset = notice(AccountOpened, epoch=2)
    assert (reset["notice"], reset["epoch"]) == ("account_reset", 2)


def test_a_new_fee_tier_is_told_with_its_rates_and_the_volume_behind_it() -> None:
    told = notice(FeeTierChanged)
    assert (told["notice"], told["wallet"], told["kind"]) == ("fee_tier", "perp", "perp")
    assert (told["tier"], told["maker"], told["taker"]) == (1, "0.00016", "0.00045")
    assert told["volume"] == "5000000"
    discount = notice(SettingChanged, symbol="", name="fee_discount", value="on")
    assert (discount["wallet"], discount["value"]) == ("spot", "on")


def test_a_deleveraging_is_told_with_its_price_and_its_place_in_the_ranking() -> None:
    told = notice(Deleveraged)
    assert (told["notice"], told["wallet"], told["symbol"]) == ("deleveraged", "perp", PERP.symbol)
    assert (told["side"], told["qty"], told["price"]) == ("buy", "0.500", "47523.8")
    assert (told["rank"], told["score"]) == (1, "0.892857142857")
    assert (told["realised"], told["asset"]) == ("1238.1", "USDT")
    assert told["says"].startswith("you were deleveraged: 0.500 of your BTC-USDT-PERP bought at")


def test_what_befalls_an_inverse_position_is_told_of_its_coin_wallet() -> None:
    inverse = msgspec.structs.replace(
        PERP, symbol="BTC-USD-PERP", kind="inverse", settle="BTC", lot="1"
    )
    assert cross_wallet(inverse) == "perp:BTC"
    assert cross_wallet(PERP) == "perp"
    known = {**INSTRUMENTS, inverse.symbol: inverse}
    charged = event(FundingCharged, symbol=inverse.symbol, lots=-5)
    told = NOTICES[FundingCharged](charged, known, DeskByHand())
    assert (told.wallet, told.asset, told.side) == ("perp:BTC", "BTC", "short")


def test_a_scope_counts_in_the_asset_it_settles_in() -> None:
    assert settle_asset("margin", INSTRUMENTS) == "USDT"
    assert settle_asset(f"perp/{PERP.symbol}", INSTRUMENTS) == "USDT"
    assert settle_asset("isolated:BTC-USDT", INSTRUMENTS) == "USDT"
