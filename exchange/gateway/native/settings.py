"""Settings of an account: leverage, margin mode, margin leverage, margin of a position."""

from __future__ import annotations

from exchange.commands import (
    AnyCommand,
    SetFeeDiscount,
    SetLeverage,
    SetMarginLeverage,
    SetMarginMode,
    SetMultiAsset,
    SetPositionMode,
)
from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native.amounts import position_margin_command
from exchange.gateway.native.asking import account_id_of, account_of, obeyed
from exchange.gateway.native.asks import SettingsSay
from exchange.gateway.native.countdowns import left_ms
from exchange.gateway.native.orders import known_instrument
from exchange.views.accounts import settings_of
from exchange.wire import (
    FeeDiscountAsk,
    LeverageAsk,
    MarginLeverageAsk,
    MarginModeAsk,
    MultiAssetAsk,
    PositionMarginAsk,
    PositionModeAsk,
    SettingsAsk,
)
from matching.reasons import Reason


async def change(doors: Doors, ask: SettingsAsk, caller: Caller) -> SettingsSay:
    """Change several; where one is refused those before it stand, and the details name them."""
    account_id = account_id_of(caller)
    commands: dict[str, AnyCommand] = {}
    if ask.position_mode is not None:
        commands["position_mode"] = _position_mode(ask.position_mode, account_id)
    if ask.multi_asset is not None:
        commands["multi_asset"] = _multi_asset(ask.multi_asset, account_id)
    if ask.margin_mode is not None:
        commands["margin_mode"] = _margin_mode(doors, ask.margin_mode, account_id)
    if ask.leverage is not None:
        commands["leverage"] = _leverage(doors, ask.leverage, account_id)
    if ask.margin_leverage is not None:
        commands["margin_leverage"] = _margin_leverage(ask.margin_leverage, account_id)
    if ask.position_margin is not None:
        commands["position_margin"] = _position_margin(doors, ask.position_margin, account_id)
    if ask.fee_discount is not None:
        commands["fee_discount"] = _fee_discount(ask.fee_discount, account_id)
    if not commands:
        raise refusal(Reason.MISSING_FIELD, "name at least one setting", field="leverage")
    done: list[str] = []
    for name, command in commands.items():
        try:
            await obeyed(doors, command)
        except ApiError as error:
            error.details |= {"setting": name, "done": done}
            raise
        done.append(name)
    return _settings(doors, caller)


async def set_leverage(doors: Doors, ask: LeverageAsk, caller: Caller) -> SettingsSay:
    """The leverage of a perpetual."""
    return await _set(doors, _leverage(doors, ask, account_id_of(caller)), caller)


async def set_margin_mode(doors: Doors, ask: MarginModeAsk, caller: Caller) -> SettingsSay:
    """Cross or isolated margin of a perpetual."""
    return await _set(doors, _margin_mode(doors, ask, account_id_of(caller)), caller)


async def set_position_mode(doors: Doors, ask: PositionModeAsk, caller: Caller) -> SettingsSay:
    """Hedge or one-way."""
    return await _set(doors, _position_mode(ask, account_id_of(caller)), caller)


async def set_multi_asset(doors: Doors, ask: MultiAssetAsk, caller: Caller) -> SettingsSay:
    """Several assets behind linear contracts, or the quote alone."""
    return await _set(doors, _multi_asset(ask, account_id_of(caller)), caller)


async def set_margin_leverage(doors: Doors, ask: MarginLeverageAsk, caller: Caller) -> SettingsSay:
    """The leverage of the cross margin account."""
    return await _set(doors, _margin_leverage(ask, account_id_of(caller)), caller)


async def adjust_position_margin(
    doors: Doors, ask: PositionMarginAsk, caller: Caller
) -> SettingsSay:
    """The margin of an isolated position."""
    return await _set(doors, _position_margin(doors, ask, account_id_of(caller)), caller)


async def set_fee_discount(doors: Doors, ask: FeeDiscountAsk, caller: Caller) -> SettingsSay:
    """Whether spot fees are paid in the discount asset."""
    return await _set(doors, _fee_discount(ask, account_id_of(caller)), caller)


async def _set(doors: Doors, command: AnyCommand, caller: Caller) -> SettingsSay:
    await obeyed(doors, command)
    return _settings(doors, caller)


def _settings(doors: Doors, caller: Caller) -> SettingsSay:
    account = account_of(doors, caller)
    return SettingsSay(**settings_of(account), cancel_all_after_ms=left_ms(doors, account.id))


def _leverage(doors: Doors, ask: LeverageAsk, account_id: int) -> AnyCommand:
    _known_perpetual(doors, ask.symbol)
    return SetLeverage(account_id=account_id, symbol=ask.symbol, leverage=ask.leverage)


def _margin_mode(doors: Doors, ask: MarginModeAsk, account_id: int) -> AnyCommand:
    _known_perpetual(doors, ask.symbol)
    isolated = ask.mode == "isolated"
    return SetMarginMode(account_id=account_id, symbol=ask.symbol, isolated=isolated)


def _position_mode(ask: PositionModeAsk, account_id: int) -> AnyCommand:
    return SetPositionMode(account_id=account_id, hedge=ask.hedge)


def _multi_asset(ask: MultiAssetAsk, account_id: int) -> AnyCommand:
    return SetMultiAsset(account_id=account_id, on=ask.on)


def _margin_leverage(ask: MarginLeverageAsk, account_id: int) -> AnyCommand:
    return SetMarginLeverage(account_id=account_id, leverage=ask.leverage)


def _fee_discount(ask: FeeDiscountAsk, account_id: int) -> AnyCommand:
    return SetFeeDiscount(account_id=account_id, on=ask.on)


def _position_margin(doors: Doors, ask: PositionMarginAsk, account_id: int) -> AnyCommand:
    _known_perpetual(doors, ask.symbol)
    return position_margin_command(ask, account_id)


def _known_perpetual(doors: Doors, symbol: str) -> None:
    if known_instrument(symbol, doors.board.instruments).kind == "spot":
        raise refusal(
            Reason.MODE_NOT_ALLOWED,
            "this setting is for perpetuals; of spot margin, margin.leverage can be set",
            field="symbol",
            given=symbol,
        )
