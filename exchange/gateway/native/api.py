"""The one entry of all native operations, for REST and WebSocket alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import CoroutineType
from typing import Any, Final

from exchange.gateway.calls import ApiError, Caller, refusal
from exchange.gateway.doors import Doors
from exchange.gateway.native import (
    accounts,
    admin,
    batching,
    comparing,
    countdowns,
    listing,
    market,
    money,
    replacing,
    settings,
    trading,
    why,
)
from exchange.gateway.native.asks import RawBatchAsk
from exchange.gateway.native.direct import DIRECT, Outcome, Tell, Told
from exchange.gateway.native.fields import as_ask
from exchange.gateway.native.routes import BY_OP, Route
from exchange.sequencer import SequencerFailed
from exchange.storage.queries import HistoryAway
from exchange.wire import Ask
from matching.reasons import Reason

Operation = Callable[[Doors, Any, Caller], Awaitable[Any]]

OPERATIONS: Final[dict[str, Operation]] = {
    "time.get": market.time,
    "instruments.get": market.instruments,
    "fees.get": market.fees,
    "book.get": market.book,
    "trades.get": market.trades,
    "candles.get": market.candles,
    "ticker.get": market.ticker,
    "mark.get": market.mark,
    "funding.get": market.funding,
    "compare.get": comparing.compare_stake,
    "audit.get": market.audit,
    "account.open": accounts.open_account,
    "account.reset": accounts.reset,
    "account.get": accounts.account,
    "keys.list": accounts.list_keys,
    "keys.create": accounts.create_key,
    "keys.revoke": accounts.revoke_key,
    "fills.get": accounts.fills,
    "ledger.get": accounts.ledger,
    "pnl.get": accounts.pnl,
    "why": why.why,
    "faucet": money.faucet,
    "transfer": money.transfer,
    "dust.convert": money.convert_dust,
    "loan.borrow": money.borrow,
    "loan.repay": money.repay,
    "loan.list": money.loans,
    "loan.limits": money.limits,
    "order.place": trading.place,
    "order.batch": batching.batch,
    "order.replace": replacing.replace,
    "order.list_place": listing.place_list,
    "order.list_cancel": listing.cancel_list,
    "order.lists": listing.lists,
    "order.list_status": listing.status,
    "order.preview": trading.preview,
    "order.list": trading.list_orders,
    "order.status": trading.status,
    "order.amend": trading.amend,
    "order.cancel": trading.cancel,
    "order.cancel_all": trading.cancel_all,
    "cancel_all_after": countdowns.cancel_all_after,
    "settings.set": settings.change,
    "leverage.set": settings.set_leverage,
    "margin_mode.set": settings.set_margin_mode,
    "position_mode.set": settings.set_position_mode,
    "multi_asset.set": settings.set_multi_asset,
    "margin.leverage": settings.set_margin_leverage,
    "fee_discount.set": settings.set_fee_discount,
    "position.margin": settings.adjust_position_margin,
    "admin.index": admin.set_index,
    "admin.clock": admin.set_clock,
    "admin.state": admin.set_state,
}

assert OPERATIONS.keys() == BY_OP.keys()  # Every row of the table does something.


class Api:
    """Judges who may do what, counts orders, and has the operation done."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def begin(self, op: str, fields: Mapping[str, Any], caller: Caller, tell: Tell) -> bool:
        """Begin an operation that is one command, if it is: `tell` is called with what comes.

        False, and nothing done, where only `call` does it. `tell` may be called at once.
        """
        direct = DIRECT.get(op)
        if direct is None:
            return False
        metrics = self._doors.metrics

        def told(outcome: Outcome) -> None:
            if isinstance(outcome, SequencerFailed):
                outcome = _refused(outcome)
            elif type(outcome) is CoroutineType:
                outcome = _later(outcome)
            metrics.request_done(op, outcome.code if isinstance(outcome, ApiError) else "done")
            tell(outcome)

        try:
            ask = self._allowed(BY_OP[op], fields, caller)
            command = direct.wish(self._doors, ask, caller)
            self._doors.sequencer.enqueue(command, Told(self._doors, direct, command, told))
        except Exception as error:
            told(error)
        return True

    async def call(self, op: str, fields: Ask | bytes | Mapping[str, Any], caller: Caller) -> Any:
        """Do one operation; answers a `Say` or a list of them, or raises an ApiError.

        `fields` is the operation's record, or what a frame carries beside `id` and `op`. From a
        frame, operations that only REST has are unknown.
        """
        route = BY_OP.get(op)
        if route is None or not (route.websocket or isinstance(fields, Ask)):
            raise refusal(Reason.UNKNOWN_OPERATION, "see /asyncapi.json", op=op[:40])
        metrics = self._doors.metrics
        try:
            said = await self._done(route, fields, caller)
        except ApiError as error:
            metrics.request_done(op, error.code)
            raise
        metrics.request_done(op, "done")
        return said

    async def _done(
        self, route: Route, fields: Ask | bytes | Mapping[str, Any], caller: Caller
    ) -> Any:
        ask = self._allowed(route, fields, caller)
        try:
            return await OPERATIONS[route.op](self._doors, ask, caller)
        except (SequencerFailed, HistoryAway) as error:
            raise _refused(error) from error

    def _allowed(
        self, route: Route, fields: Ask | bytes | Mapping[str, Any], caller: Caller
    ) -> Ask:
        """The operation's record, once it is clear that the caller may have it done."""
        refuse_unless_permitted(route, caller)
        ask = fields if isinstance(fields, Ask) else as_ask(route, fields)
        if route.orders:
            self._count_orders(ask, caller)
        return ask

    def _count_orders(self, ask: Ask, caller: Caller) -> None:
        assert caller.account_id is not None
        count = len(ask.orders) if isinstance(ask, RawBatchAsk) else 1
        now_ms = self._doors.clock.wall_ms()
        allowance = self._doors.limits.orders(caller.account_id, now_ms, count)
        if not allowance.allowed:
            raise refusal(
                Reason.RATE_LIMITED,
                "orders of this account",
                limit=allowance.limit,
                retry_ms=allowance.retry_ms,
            )


def _refused(error: SequencerFailed | HistoryAway) -> ApiError:
    """What one hears whose command may or may not be obeyed, or who asks for what is away."""
    if isinstance(error, HistoryAway):
        return ApiError(Reason.BUSY.name, str(error), {}, 503)
    told = f"{error}; ask again with the same client_id once it is back"
    return ApiError("OUTCOME_UNKNOWN", told, {}, 503)


async def _later(result: Coroutine[Any, Any, Any]) -> Any:
    """A result that the history is asked for."""
    try:
        return await result
    except HistoryAway as error:
        raise _refused(error) from error


def refuse_unless_permitted(route: Route, caller: Caller) -> None:
    """An ApiError unless the caller may do what the route does."""
    if route.security == "admin" and not caller.admin:
        raise refusal(Reason.ADMIN_KEY_NEEDED)
    if route.security == "signed" and caller.account_id is None:
        raise refusal(Reason.NOT_AUTHENTICATED)
    if route.permission is not None and route.permission not in caller.permissions:
        raise refusal(Reason.PERMISSION_DENIED, f"it needs {route.permission!r}")
