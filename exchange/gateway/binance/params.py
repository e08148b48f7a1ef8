"""Parameters of a request, from query, form or frame, read as Binance reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from exchange.gateway.binance.errors import BAD_VALUE, MANDATORY, REPEATED, UNREAD, refused

INT_MAX: Final = (1 << 63) - 1
INT_CHARS_MAX: Final = 19
LIST_ITEMS_MAX: Final = 1_000
# Who asks is read before anything else; the rest is told to Binance and says nothing here.
HARMLESS: Final = frozenset(
    {
        *("apikey", "signature", "timestamp", "recvwindow", "returnratelimits"),
        *("strategyid", "strategytype", "computecommissionrates"),
    }
)
_TRUE: Final = frozenset({"true"})
_FALSE: Final = frozenset({"false"})


class Params:
    """Text by name. A name is looked up as written, then without regard to case.

    Of a name that is sent twice the first counts. Parameters nobody asks for do no harm, unless
    whoever reads them wants it otherwise (`refuse_repeated`, `refuse_unread`).
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._by_name: dict[str, str] = {}
        self._sent = 0
        self._unread: set[str] = set()
        for name, value in pairs:
            self._by_name.setdefault(name.lower(), value)
            self._sent += 1
        self._unread.update(self._by_name.keys() - HARMLESS)

    @classmethod
    def of_request(cls, query: str, body: str) -> Params:
        """Of a raw query and a raw form body."""
        pairs = parse_qsl(query, keep_blank_values=True)
        return cls([*pairs, *parse_qsl(body, keep_blank_values=True)])

    @classmethod
    def of_frame(cls, fields: dict[str, Any]) -> Params:
        """Of the `params` of a WebSocket request; what is no text becomes its JSON text."""
        return cls((str(name), as_text(value)) for name, value in fields.items())

    def has(self, name: str) -> bool:
        """Whether it was sent, and not empty."""
        return bool(self._found(name))

    def get(self, name: str, default: str = "") -> str:
        """A text, or the default where it was not sent or is empty."""
        return self._found(name) or default

    def _found(self, name: str) -> str | None:
        name = name.lower()
        self._unread.discard(name)
        return self._by_name.get(name)

    def refuse_repeated(self) -> None:
        """-1101 where a name was sent twice."""
        if self._sent > len(self._by_name):
            raise refused(REPEATED)

    def refuse_unread(self) -> None:
        """-1104 where something was sent that nobody has asked for yet."""
        if self._unread:
            raise refused(UNREAD, len(self._by_name) - len(self._unread), len(self._by_name))

    def need(self, name: str) -> str:
        """A text that must be there; else -1102."""
        value = self.get(name)
        if not value:
            raise refused(MANDATORY, name)
        return value

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number of 63 bits, or the default; -1102 for any other text."""
        value = self.get(name)
        if not value:
            return default
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > INT_CHARS_MAX:
            raise refused(MANDATORY, name)
        number = int(value)
        if abs(number) > INT_MAX:
            raise refused(MANDATORY, name)
        return number

    def need_integer(self, name: str) -> int:
        """A whole number that must be there."""
        self.need(name)
        number = self.integer(name)
        assert number is not None, "it is there"
        return number

    def limit(self, default: int, largest: int) -> int:
        """How many to answer: any number; more than the most is the most. -1130 below one."""
        number = self.integer("limit", default)
        assert number is not None, "there is a default"
        if number < 1:
            raise refused(BAD_VALUE, "limit")
        return min(number, largest)

    def flag(self, name: str, default: bool = False) -> bool:
        """true or false in any case; -1102 for any other text."""
        value = self.get(name).lower()
        if not value:
            return default
        if value not in _TRUE | _FALSE:
            raise refused(MANDATORY, name)
        return value in _TRUE

    def choice(self, name: str, choices: Iterable[str], default: str = "") -> str:
        """One of some words, in any case; -1130 for another."""
        value = self.get(name, default).upper()
        if value and value not in choices:
            raise refused(BAD_VALUE, name)
        return value

    def array(self, name: str) -> list[Any]:
        """A JSON array; empty where it was not sent, -1102 where it is none."""
        value = self.get(name)
        if not value:
            return []
        try:
            items = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise refused(MANDATORY, name) from None
        if not isinstance(items, list) or len(items) > LIST_ITEMS_MAX:
            raise refused(MANDATORY, name)
        return items


def as_text(value: Any) -> str:
    """A JSON value as a parameter's text: strings as they are, `true`, numbers, arrays as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
