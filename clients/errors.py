"""What goes wrong at a client: the exchange's refusals, and the client's own."""

from __future__ import annotations

from typing import Any

from exchange.wire import ErrorSay


class PapertapeError(Exception):
    """A refusal: `code` for programs, `message` for people, `details` with the numbers.

    The codes are the exchange's, and four of the client's own: `UNREACHABLE` (nobody answers at
    the URL), `CONNECTION_LOST` (the connection broke twice under one request), `SLOW_READER` (a
    subscription was not read fast enough) and `CLOSED` (the client was closed).
    """

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details or {}
        self.sent_twice = False  # The connection broke, and this refused the second sending.

    @classmethod
    def of(cls, error: ErrorSay | None) -> PapertapeError:
        """The error of a reply that was not ok."""
        if error is None:
            return cls("MALFORMED_REPLY", "the exchange refused without saying why")
        return cls(error.code, error.message, error.details)
