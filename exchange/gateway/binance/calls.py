"""One call of the Binance door, whichever way it came: what was asked, by whom, and what with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from exchange.commands import AnyCommand
from exchange.gateway.binance.errors import KEY_REJECTED, BinanceError, Refusal, refused, translated
from exchange.gateway.binance.limits import Limits, Rule
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.streams.hub import Hub
from exchange.gateway.binance.symbols import Product, Symbols
from exchange.gateway.binance.user_data.feeds import UserData
from exchange.gateway.calls import ANYBODY, ApiError, Caller, Permission
from exchange.gateway.doors import Doors
from exchange.gateway.native.asking import Done, account_of, obeyed
from matching.instrument import Instrument
from matching.reasons import Reason
from risk.account import Account

# N none, K the key alone, S that of a user stream; signed are U to read, T to trade, M to pay.
Security = Literal["N", "K", "S", "U", "T", "M"]
PERMISSION: Final[dict[str, Permission]] = {"S": "read", "U": "read", "T": "trade", "M": "transfer"}
SIGNED: Final = frozenset({"U", "T", "M"})
Api = Literal["api", "sapi", "fapi", "dapi"]  # Whose limits a request counts against.
PRODUCTS: Final[dict[Api, Product]] = {"api": "spot", "sapi": "spot", "fapi": "um", "dapi": "cm"}


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What every call of the door shares: the exchange's parts, names, and limits by API."""

    doors: Doors
    symbols: Symbols
    limits: dict[Api, Limits]
    hub: Hub  # What streams are told by.
    user_data: UserData  # And what accounts are.


@dataclass(kw_only=True)
class Call:
    """A request that passed the door. `account` and `submit` need a signed or keyed one."""

    dialect: Dialect
    api: Api
    params: Params
    caller: Caller = ANYBODY
    refusals: dict[Reason, Refusal] = field(default_factory=dict)
    by_websocket: bool = False
    used: list[tuple[Rule, int]] = field(default_factory=list)  # Told beside the answer.

    @property
    def doors(self) -> Doors:
        """The exchange's parts."""
        return self.dialect.doors

    @property
    def product(self) -> Product:
        """The product the API is of."""
        return PRODUCTS[self.api]

    @property
    def account(self) -> Account:
        """The caller's account as the engine has it; it is read, never changed."""
        if self.caller.account_id is None:
            raise refused(KEY_REJECTED)
        return account_of(self.doors, self.caller)

    @property
    def wall_ms(self) -> int:
        """Wall time: what `serverTime` tells."""
        return self.doors.clock.wall_ms()

    @property
    def now_ms(self) -> int:
        """Exchange time of the last applied group: what events and answers are stamped with."""
        return self.doors.board.time_ms

    def instrument(self, name: str = "symbol") -> Instrument:
        """The instrument a parameter names; -1102 or -1121."""
        return self.dialect.symbols.of(self.product, self.params.need(name))

    def named(self, name: str = "symbol") -> Instrument | None:
        """The instrument a parameter names, where it was sent."""
        return self.instrument(name) if self.params.has(name) else None

    def refuse_unread(self, params: Params | None = None) -> None:
        """-1104 where the door is strict and something was sent that nothing has asked for.

        Of the request's parameters, or of those of one element of it. Said before anything is
        changed, so whatever a handler reads it reads before that.
        """
        if self.doors.config.binance.strict_parameters:
            (self.params if params is None else params).refuse_unread()

    def count_orders(self, count: int = 1) -> None:
        """Count new orders against the account's limits; -1015 over one."""
        self.refuse_unread()
        assert self.caller.account_id is not None, "orders are signed"
        limits = self.dialect.limits[self.api]
        limits.take_orders(self.caller.account_id, self.wall_ms, count)
        self.used = limits.orders_used(self.caller.account_id, self.wall_ms)

    async def submit(self, command: AnyCommand) -> Done:
        """Have the engine obey; a refusal becomes the product's own."""
        self.refuse_unread()
        try:
            return await obeyed(self.doors, command)
        except ApiError as error:
            raise translated(error, self.refusals) from None


Handler = Callable[[Call], Awaitable[Any]]
Weight = int | Callable[[Params], int]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One endpoint. `method` of the WebSocket API reaches the same handler where it is given."""

    verb: str  # GET, POST, PUT or DELETE
    path: str
    handler: Handler
    weight: Weight = 1
    security: Security = "N"
    by_account: bool = False  # The weight counts against the account, not the address.
    method: str = ""
    refusals: dict[Reason, Refusal] = field(default_factory=dict)

    @property
    def api(self) -> Api:
        """Whose limits it counts against: the path's first part; /futures/data is USD-M's."""
        first = self.path.split("/")[1]
        return first if first in PRODUCTS else "fapi"

    def weigh(self, params: Params) -> int:
        """The weight of a request; 1 where its parameters are such that it will be refused."""
        if isinstance(self.weight, int):
            return self.weight
        try:
            return self.weight(params)
        except BinanceError:
            return 1
