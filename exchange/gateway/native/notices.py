"""Notices of the `margin` channel: what happened to a margin scope, and how it stands since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from msgspec import structs

from exchange.events import (
    AccountOpened,
    CollateralConverted,
    Deleveraged,
    FeeTierChanged,
    FundingCharged,
    InterestCharged,
    LiquidationEnded,
    LiquidationStarted,
    LiquidationStepped,
    LoanChanged,
    MarginCalled,
    PositionChanged,
    PrivateEvent,
    SettingChanged,
)
from exchange.views.texts import interest_text, rate_text, value_text
from exchange.wire import LoanSay, MarginSay, PositionSay
from exchange.wire.stream import NoticeSay
from matching.instrument import Instrument, amount_text
from matching.types import Side
from risk.account import MARGIN, PERP, SPOT

Instruments = Mapping[str, Instrument]

# The wallet that a setting without a symbol is about; the others are about cross margin.
_SETTING_SCOPES: Final = {"fee_discount": SPOT, "multi_asset": PERP, "position_mode": PERP}


class Figures(Protocol):
    """What the read side knows of an account beyond its events."""

    def margin(self, account_id: int, scope: str) -> MarginSay:
        """A margin scope as it stands; of an unknown scope, one without assets and debt."""

    def position(self, event: PositionChanged) -> PositionSay:
        """The position the event tells of, at the present mark."""

    def hourly_rate_e12(self, asset: str) -> int:
        """What an hour of borrowing the asset costs."""

    def open_lots(self, symbol: str) -> int:
        """Open interest of a perpetual."""


def settle_asset(scope: str, instruments: Instruments) -> str:
    """The asset a scope's money is counted in."""
    if scope.startswith(f"{PERP}:"):
        return scope.partition(":")[2]  # The wallet of a coin's inverse contract.
    symbol = scope.partition("/" if scope.startswith(f"{PERP}/") else ":")[2].partition("/")[0]
    found = instruments.get(symbol)
    return found.settle if found else "USDT"


def cross_wallet(instrument: Instrument) -> str:
    """The wallet that cross positions of a perpetual stand on."""
    return f"{PERP}:{instrument.settle}" if instrument.kind == "inverse" else PERP


def loan_say(event: LoanChanged, hourly_rate_e12: int) -> LoanSay:
    """A loan after it was taken or paid down."""
    return LoanSay(
        event.wallet,
        event.asset,
        amount_text(event.principal_minor),
        interest_text(event.interest_e18),
        rate_text(hourly_rate_e12),
        event.loan_id,
        amount_text(event.borrowed_minor),
        amount_text(event.repaid_principal_minor),
        amount_text(event.repaid_interest_minor),
    )


def _notice(
    event: PrivateEvent, scope: str, figures: Figures, notice: str, **more: Any
) -> NoticeSay:
    margin = figures.margin(event.account_id, scope)
    return NoticeSay(**{**structs.asdict(margin), **more}, notice=notice)


def _loan_notice(event: LoanChanged, _: Instruments, figures: Figures) -> NoticeSay:
    loan = loan_say(event, figures.hourly_rate_e12(event.asset))
    return _notice(event, event.wallet, figures, "loan", asset=event.asset, loan=loan)


def _interest_notice(event: InterestCharged, _: Instruments, figures: Figures) -> NoticeSay:
    return _notice(
        event,
        event.wallet,
        figures,
        "interest",
        asset=event.asset,
        amount=interest_text(event.charged_e18),
        principal=amount_text(event.principal_minor),
        rate=rate_text(event.rate_e12),
        interest=interest_text(event.interest_e18),
        due=event.due_ms,
        why=f"interest/{event.n}",
    )


def _funding_notice(event: FundingCharged, instruments: Instruments, figures: Figures) -> NoticeSay:
    instrument = instruments[event.symbol]
    return _notice(
        event,
        cross_wallet(instrument),
        figures,
        "funding",
        symbol=event.symbol,
        side="long" if event.lots > 0 else "short",
        asset=instrument.settle,
        amount=amount_text(event.flow_minor),
        qty=instrument.qty_text(event.lots),
        mark=amount_text(event.mark_e8),
        rate=rate_text(event.rate_e12),
        due=event.due_ms,
        why=f"funding/{event.n}",
    )


def _call_notice(event: MarginCalled, instruments: Instruments, figures: Figures) -> NoticeSay:
    return _notice(
        event,
        event.scope,
        figures,
        "margin_call_cleared" if event.cleared else "margin_call",
        state="normal" if event.cleared else "called",
        level=rate_text(event.level_e12),
        call_level=rate_text(event.call_level_e12),
        asset=settle_asset(event.scope, instruments),
        add=amount_text(event.add_minor),
        why=f"call/{event.n}",
    )


def _started_notice(event: LiquidationStarted, _: Instruments, figures: Figures) -> NoticeSay:
    more: dict[str, Any] = {"symbol": event.symbol} if event.symbol else {}
    more["why"] = f"liquidation/{event.n}"
    if event.mark_e8:
        more["mark"] = amount_text(event.mark_e8)
    return _notice(
        event,
        event.scope,
        figures,
        "liquidation_started",
        state="liquidating",
        assets=value_text(event.assets_e16),
        debt=value_text(event.debt_e16),
        level=rate_text(event.level_e12),
        **more,
    )


def _stepped_notice(
    event: LiquidationStepped, instruments: Instruments, figures: Figures
) -> NoticeSay:
    more: dict[str, Any] = {}
    instrument = instruments.get(event.symbol)
    if instrument is not None:
        more["symbol"] = event.symbol
        if event.lots:
            more["qty"] = instrument.qty_text(event.lots)
        if event.price_ticks:
            more["price"] = instrument.price_text(event.price_ticks)
    return _notice(
        event,
        event.scope,
        figures,
        "liquidation_step",
        state="liquidating",
        step=event.step,
        asset=event.asset,
        amount=amount_text(event.amount_minor),
        **more,
    )


def _ended_notice(event: LiquidationEnded, instruments: Instruments, figures: Figures) -> NoticeSay:
    return _notice(
        event,
        event.scope,
        figures,
        "liquidation_ended",
        state="normal",
        result=event.result,
        asset=settle_asset(event.scope, instruments),
        covered=amount_text(event.covered_minor),
    )


def _setting_notice(event: SettingChanged, instruments: Instruments, figures: Figures) -> NoticeSay:
    scope = _SETTING_SCOPES.get(event.name, MARGIN)
    if event.symbol:
        scope = cross_wallet(instruments[event.symbol])
    more: dict[str, Any] = {"symbol": event.symbol} if event.symbol else {}
    return _notice(event, scope, figures, "setting", setting=event.name, value=event.value, **more)


def _opened_notice(event: AccountOpened, _: Instruments, figures: Figures) -> NoticeSay:
    notice = "account_opened" if event.epoch == 1 else "account_reset"
    return _notice(event, MARGIN, figures, notice, epoch=event.epoch)


def _tier_notice(event: FeeTierChanged, _: Instruments, figures: Figures) -> NoticeSay:
    scope = SPOT if event.kind == "spot" else PERP
    return _notice(
        event,
        scope,
        figures,
        "fee_tier",
        kind=event.kind,
        tier=event.tier,
        maker=rate_text(event.maker_e12),
        taker=rate_text(event.taker_e12),
        volume=amount_text(event.volume_minor),
    )


def _deleveraged_notice(
    event: Deleveraged, instruments: Instruments, figures: Figures
) -> NoticeSay:
    instrument = instruments[event.symbol]
    qty, price = instrument.qty_text(event.lots), instrument.price_text(event.price_ticks)
    done = "bought" if event.side is Side.BUY else "sold"
    return _notice(
        event,
        cross_wallet(instrument),
        figures,
        "deleveraged",
        symbol=event.symbol,
        says=f"you were deleveraged: {qty} of your {event.leg} {done} at {price}, where another's"
        " position was bankrupt, without a fee",
        leg=event.leg,
        side=event.side.name.lower(),
        qty=qty,
        price=price,
        rank=event.rank,
        score=rate_text(event.score_e12),
        asset=event.asset,
        realised=amount_text(event.realised_minor),
        why=f"adl/{event.n}",
    )


def _converted_notice(event: CollateralConverted, _: Instruments, figures: Figures) -> NoticeSay:
    return _notice(
        event,
        event.wallet,
        figures,
        "collateral_converted",
        asset=event.asset,
        amount=amount_text(event.amount_minor),
        price=amount_text(event.price_e8),
        ratio=rate_text(event.ratio_e12),
        fee=rate_text(event.fee_e12),
        paid=amount_text(event.paid_minor),
        paid_asset=event.paid_asset,
        result=event.cause,
    )


NOTICES: Final[dict[type, Callable[[Any, Instruments, Figures], NoticeSay]]] = {
    LoanChanged: _loan_notice,
    InterestCharged: _interest_notice,
    FundingCharged: _funding_notice,
    MarginCalled: _call_notice,
    LiquidationStarted: _started_notice,
    LiquidationStepped: _stepped_notice,
    LiquidationEnded: _ended_notice,
    SettingChanged: _setting_notice,
    AccountOpened: _opened_notice,
    FeeTierChanged: _tier_notice,
    CollateralConverted: _converted_notice,
    Deleveraged: _deleveraged_notice,
}
