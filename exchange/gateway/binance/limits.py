"""Weights and order counts in fixed windows of wall time, and the headers that tell of them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final, NamedTuple

from exchange.gateway.auth import NAMES_LIMITED_MAX
from exchange.gateway.binance.errors import (
    TOO_MANY_ORDERS,
    TOO_MANY_RAW,
    TOO_MANY_REQUESTS,
    BinanceError,
    refused,
)

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
UNITS_MS: Final = {"SECOND": SECOND_MS, "MINUTE": MINUTE_MS, "DAY": DAY_MS}
RATE_LIMITED: Final = 429
BANNED: Final = 418
BANNED_AFTER: Final = 3  # Windows over the limit in a row, before 429 becomes 418.


class Rule(NamedTuple):
    """One limit as exchangeInfo tells it; `limit` 0 counts, and refuses nobody."""

    kind: str  # "REQUEST_WEIGHT", "ORDERS" or "RAW_REQUESTS"
    interval: str
    every: int
    limit: int

    @property
    def span(self) -> str:
        """How long one window lasts, as a refusal says it."""
        return f"{self.every} {self.interval}".removeprefix("1 ")

    @property
    def window_ms(self) -> int:
        """How long one window lasts."""
        return UNITS_MS[self.interval] * self.every

    def say(self, used: int | None = None) -> dict[str, Any]:
        """As JSON; with `used` as an answer of the WebSocket API tells it."""
        said: dict[str, Any] = {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.every,
            "limit": self.limit or (1 << 31) - 1,
        }
        return said if used is None else {**said, "count": used}


class Window:
    """Counts per name within windows that begin at multiples of their length."""

    def __init__(self, rule: Rule, names_max: int = NAMES_LIMITED_MAX) -> None:
        self.rule = rule
        self._names_max = names_max
        self._used: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def add(self, name: str, now_ms: int, cost: int) -> int:
        """Count a cost; answers what the window holds now."""
        used = self.used(name, now_ms) + cost
        self._used[name] = (now_ms // self.rule.window_ms, used)
        self._used.move_to_end(name)
        if len(self._used) > self._names_max:
            self._used.popitem(last=False)
        return used

    def used(self, name: str, now_ms: int) -> int:
        """What the present window holds."""
        window, used = self._used.get(name, (0, 0))
        return used if window == now_ms // self.rule.window_ms else 0

    def is_over(self, used: int) -> bool:
        """Whether that is more than may be."""
        return 0 < self.rule.limit < used

    def retry_s(self, now_ms: int) -> int:
        """Whole seconds until the next window."""
        return -(-(self.rule.window_ms - now_ms % self.rule.window_ms) // SECOND_MS)


class Limits:
    """The limits of one product: weight by address, orders by account.

    `raw` counts requests by address, whatever they weigh.
    """

    def __init__(self, weight: Rule, orders: tuple[Rule, ...], raw: Rule | None = None) -> None:
        self._weight = Window(weight)
        self._orders = tuple(Window(rule) for rule in orders)
        self._raw = None if raw is None else Window(raw)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every limit, the weight first."""
        windows = (self._weight, *self._orders, self._raw)
        return tuple(window.rule for window in windows if window is not None)

    def take_weight(self, address: str, now_ms: int, weight: int) -> int:
        """Count a request and its weight; -1003 with 429 (418 for who goes on) over a limit."""
        used = self._weight.add(address, now_ms, weight)
        refuse_over(self._weight, used, now_ms, refused(TOO_MANY_REQUESTS, self._weight.rule.limit))
        if self._raw is not None:
            rule = self._raw.rule
            error = refused(TOO_MANY_RAW, rule.limit, rule.span)
            refuse_over(self._raw, self._raw.add(address, now_ms, 1), now_ms, error)
        return used

    def take_orders(self, account_id: int, now_ms: int, count: int) -> None:
        """Count orders; -1015 with 429 over a limit. Counted are those that pass."""
        name = str(account_id)
        for window in self._orders:
            if window.is_over(window.used(name, now_ms) + count):
                error = refused(TOO_MANY_ORDERS, window.rule.limit, window.rule.span)
                error.status = RATE_LIMITED
                error.retry_s = window.retry_s(now_ms)
                raise error
        for window in self._orders:
            window.add(name, now_ms, count)

    def orders_used(self, account_id: int, now_ms: int) -> list[tuple[Rule, int]]:
        """Each rule of orders and how much of it is used."""
        name = str(account_id)
        return [(window.rule, window.used(name, now_ms)) for window in self._orders]

    def weight_used(self, address: str, now_ms: int) -> tuple[Rule, int]:
        """The rule of weight and how much of it is used."""
        return self._weight.rule, self._weight.used(address, now_ms)


def refuse_over(window: Window, used: int, now_ms: int, error: BinanceError) -> None:
    """Raise the error where that is more than may be, with when to come back."""
    if not window.is_over(used):
        return
    banned = used > window.rule.limit * BANNED_AFTER
    error.status = BANNED if banned else RATE_LIMITED
    error.retry_s = window.retry_s(now_ms)
    raise error
