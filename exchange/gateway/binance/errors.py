"""Refusals as Binance words them: a code, a text that clients match on, an HTTP status."""

from __future__ import annotations

from typing import Any, Final

from exchange.gateway.calls import ApiError
from matching.reasons import Reason

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401

Refusal = tuple[int, str]

UNKNOWN: Final[Refusal] = (-1000, "An unknown error occurred while processing the request.")
TOO_MANY_REQUESTS: Final[Refusal] = (
    -1003,
    "Too many requests; current limit is {} request weight per minute. "
    "Please use WebSocket Streams for live updates to avoid polling the API.",
)
TOO_MANY_RAW: Final[Refusal] = (
    -1003,
    "Too many requests; current limit is {} requests per {}. "
    "Please use WebSocket Streams for live updates to avoid polling the API.",
)
TOO_MANY_ORDERS: Final[Refusal] = (-1015, "Too many new orders; current limit is {} orders per {}.")
BUSY: Final[Refusal] = (-1008, "Request throttled by system-level protection.")
TIMESTAMP_BEHIND: Final[Refusal] = (
    -1021,
    "Timestamp for this request is outside of the recvWindow.",
)
TIMESTAMP_AHEAD: Final[Refusal] = (
    -1021,
    "Timestamp for this request was 1000ms ahead of the server's time.",
)
BAD_SIGNATURE: Final[Refusal] = (-1022, "Signature for this request is not valid.")
REPEATED: Final[Refusal] = (-1101, "Duplicate values for a parameter detected.")
MANDATORY: Final[Refusal] = (
    -1102,
    "Mandatory parameter '{}' was not sent, was empty/null, or malformed.",
)
UNREAD: Final[Refusal] = (
    -1104,
    "Not all sent parameters were read; read '{}' parameter(s) but was sent '{}'.",
)
EMPTY: Final[Refusal] = (-1105, "Parameter '{}' was empty.")
NOT_REQUIRED: Final[Refusal] = (-1106, "Parameter '{}' sent when not required.")
BAD_PRECISION: Final[Refusal] = (-1111, "Precision is over the maximum defined for this asset.")
BAD_TIF: Final[Refusal] = (-1115, "Invalid timeInForce.")
BAD_TYPE: Final[Refusal] = (-1116, "Invalid orderType.")
BAD_SIDE: Final[Refusal] = (-1117, "Invalid side.")
BAD_INTERVAL: Final[Refusal] = (-1120, "Invalid interval.")
BAD_SYMBOL: Final[Refusal] = (-1121, "Invalid symbol.")
BAD_LISTEN_KEY: Final[Refusal] = (-1125, "This listenKey does not exist.")
BAD_COMBINATION: Final[Refusal] = (-1128, "Combination of optional parameters invalid.")
BAD_VALUE: Final[Refusal] = (-1130, "Data sent for parameter '{}' is not valid.")
BAD_WINDOW: Final[Refusal] = (-1131, "recvWindow must be less than 60000.")
KEY_FORMAT: Final[Refusal] = (-2014, "API-key format invalid.")
KEY_REJECTED: Final[Refusal] = (-2015, "Invalid API-key, IP, or permissions for action.")
NO_SUCH_PATH: Final[Refusal] = (-5000, "Path {} {} is invalid.")


class BinanceError(Exception):
    """A refusal on its way to a client; `data` goes beside code and text where it is given."""

    def __init__(
        self, code: int, msg: str, *, status: int = BAD_REQUEST, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {msg}")
        self.code = code
        self.msg = msg
        self.status = UNAUTHORIZED if code in {KEY_FORMAT[0], KEY_REJECTED[0]} else status
        self.data = data
        self.retry_s: int | None = None  # Of a limit that was passed.

    def body(self) -> dict[str, Any]:
        """What the client reads."""
        said: dict[str, Any] = {"code": self.code, "msg": self.msg}
        if self.data is not None:
            said["data"] = self.data
        return said


def refused(refusal: Refusal, *names: object) -> BinanceError:
    """One of the refusals above, its blanks filled in."""
    code, msg = refusal
    return BinanceError(code, msg.format(*names))


# What the engine's reasons are called where every product calls them the same. A product's own
# table (`spot/refusals.py`, `futures/refusals.py`) is asked first.
SHARED: Final[dict[Reason, Refusal]] = {
    Reason.UNKNOWN_SYMBOL: BAD_SYMBOL,
    Reason.UNKNOWN_KEY: KEY_REJECTED,
    Reason.NOT_AUTHENTICATED: KEY_REJECTED,
    Reason.ADDRESS_DENIED: KEY_REJECTED,
    Reason.PERMISSION_DENIED: KEY_REJECTED,
    Reason.BAD_SIGNATURE: BAD_SIGNATURE,
    Reason.STALE_TIMESTAMP: TIMESTAMP_BEHIND,
    Reason.BUSY: BUSY,
    Reason.NOT_READY: BUSY,
    Reason.COMBINATION_NOT_ALLOWED: BAD_COMBINATION,
    Reason.UNKNOWN_ACCOUNT: KEY_REJECTED,
}


class _Numbers(dict[str, Any]):
    """What a refusal told by name; what it did not tell is called by its name."""

    def __missing__(self, name: str) -> str:
        return name.upper()


def translated(error: ApiError, table: dict[Reason, Refusal]) -> BinanceError:
    """A native refusal in the product's words; what has none keeps its own text, as -1000.

    A `{name}` in a text is filled in with what the refusal told by that name.
    """
    reason = Reason.__members__.get(error.code)
    refusal = None if reason is None else table.get(reason) or SHARED.get(reason)
    if refusal is not None:
        code, text = refusal
        return BinanceError(code, text.format_map(_Numbers(error.details)))
    status = error.http_status if error.http_status >= 500 else BAD_REQUEST  # noqa: PLR2004
    return BinanceError(UNKNOWN[0], error.message, status=status)
