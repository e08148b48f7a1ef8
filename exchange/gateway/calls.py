"""A call through a door: who makes it, and how it is refused."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from exchange.wire import ErrorSay
from matching.reasons import Reason

Permission = Literal["read", "trade", "transfer"]
PERMISSIONS: Final[frozenset[str]] = frozenset({"read", "trade", "transfer"})


class Caller(msgspec.Struct, frozen=True):
    """Who calls: an account by one of its keys, the administrator, or nobody in particular."""

    account_id: int | None = None
    key: str = ""
    permissions: frozenset[str] = frozenset()
    admin: bool = False
    address: str = ""


ANYBODY: Final = Caller()

# What HTTP calls each refusal; a reason that is absent is 400, the request as it stands is wrong.
STATUS: Final[dict[Reason, int]] = {
    Reason.NOT_AUTHENTICATED: 401,
    Reason.UNKNOWN_KEY: 401,
    Reason.BAD_SIGNATURE: 401,
    Reason.STALE_TIMESTAMP: 401,
    Reason.ADMIN_KEY_NEEDED: 401,
    Reason.PERMISSION_DENIED: 403,
    Reason.ADDRESS_DENIED: 403,
    Reason.REPLAYED: 409,
    Reason.DUPLICATE_ID: 409,
    Reason.NOT_ALLOWED_NOW: 409,
    Reason.NOT_FOUND: 404,
    Reason.UNKNOWN_SYMBOL: 404,
    Reason.UNKNOWN_ORDER: 404,
    Reason.UNKNOWN_ACCOUNT: 404,
    Reason.UNKNOWN_OPERATION: 404,
    Reason.TOO_LARGE: 413,
    Reason.RATE_LIMITED: 429,
    Reason.BUSY: 503,
    Reason.NOT_READY: 503,
}


class ApiError(Exception):
    """A refusal on its way to the client: a code for programs, a sentence, numbers, a status."""

    def __init__(
        self,
        code: str,
        message: str,
        details: dict[str, Any] | None = None,
        http_status: int = 400,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details or {}
        self.http_status = http_status

    def say(self) -> ErrorSay:
        """The refusal as the wire carries it."""
        return ErrorSay(code=self.code, message=self.message, details=self.details)


def refusal(reason: Reason, more: str = "", **details: Any) -> ApiError:
    """A reason as a refusal; `more` goes after the reason's own text, to say what to do."""
    message = f"{reason.value}: {more}" if more else reason.value
    return ApiError(reason.name, message, details, STATUS.get(reason, 400))
