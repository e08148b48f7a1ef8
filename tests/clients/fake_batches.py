"""What the small exchange does of several wishes in one request: batches, replacements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from exchange.wire import BatchItemSay, CountdownSay, ErrorSay, PlacedSay, ReplacedSay
from tests.clients.wire_samples import NOON

Act = Callable[[str, dict[str, Any]], Awaitable[Any]]


def several(act: Act, refused: Any) -> dict[str, Callable[..., Any]]:
    """The operations, over `act`, which does one wish and raises `refused` with an `error`."""

    async def item(op: str, **fields: Any) -> BatchItemSay:
        try:
            said = await act(op, fields)
        except refused as error:
            told = msgspec.convert(getattr(error, "error"), ErrorSay)  # noqa: B009 - Of its own.
            return BatchItemSay(ok=False, error=told)
        return BatchItemSay(
            ok=True, result=said if type(said) is PlacedSay else PlacedSay(said, [])
        )

    async def batch(orders: list[dict[str, Any]]) -> list[BatchItemSay]:
        return [await item(**fields) for fields in orders]

    async def replace(
        cancel: dict[str, Any], place: dict[str, Any], mode: str = "stop_on_failure"
    ) -> ReplacedSay:
        gone = await item("order.cancel", **cancel)
        if not gone.ok and mode == "stop_on_failure":
            raise refused("CANCEL_REPLACE_STOPPED")
        return ReplacedSay(gone, await item("order.place", **place))

    async def count_down(countdown_ms: int, symbol: str | None = None) -> CountdownSay:
        return CountdownSay(symbol, countdown_ms, NOON + countdown_ms if countdown_ms else None)

    return {"order.batch": batch, "order.replace": replace, "cancel_all_after": count_down}
