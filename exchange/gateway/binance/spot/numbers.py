"""Prices, quantities and client ids of a request, with the refusals that spot has for them."""

from __future__ import annotations

import re
import secrets
import string
from typing import Final

from exchange.gateway.binance.calls import Call
from exchange.gateway.binance.errors import BAD_PRECISION, BinanceError, refused
from exchange.gateway.binance.params import Params
from exchange.gateway.binance.spot.refusals import (
    BAD_PRICE,
    BAD_QUANTITY,
    ILLEGAL_ID,
    ILLEGAL_NUMBER,
    REFUSALS,
    TOO_LONG_APART,
)
from exchange.storage.queries import Part
from matching.instrument import Instrument, minor
from matching.reasons import Reason

CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
DRAWN_CHARS: Final = string.ascii_letters + string.digits
DRAWN_LENGTH: Final = 22
DAY_MS: Final = 86_400_000
LIMIT: Final = 500
LIMIT_MAX: Final = 1_000


def ticks(params: Params, name: str, instrument: Instrument) -> int:
    """A price in ticks, 0 where it was not sent."""
    if not params.has(name):
        return 0
    if amount(params, name) == 0:
        raise BinanceError(*BAD_PRICE)
    return _whole(instrument.ticks(params.get(name)))


def lots(params: Params, name: str, instrument: Instrument) -> int:
    """A quantity in lots, 0 where it was not sent."""
    if not params.has(name):
        return 0
    if amount(params, name) == 0:
        raise BinanceError(*BAD_QUANTITY)
    return _whole(instrument.lots(params.get(name)))


def amount(params: Params, name: str) -> int:
    """An amount in minor units; -1100 where it is no number, -1111 beyond eight places.

    A price or quantity has its own bounds beside; an amount of money is bounded by the journal.
    """
    found = minor(params.get(name))
    if found is Reason.AMOUNT_TOO_FINE:
        raise refused(BAD_PRECISION)
    if isinstance(found, Reason):
        raise refused(ILLEGAL_NUMBER, name)
    return found


def _whole(found: int | Reason) -> int:
    if isinstance(found, Reason):
        raise BinanceError(*REFUSALS[found])
    return found


def client_id(params: Params, name: str) -> str:
    """The id that was sent, or a drawn one."""
    drawn = (secrets.choice(DRAWN_CHARS) for _ in range(DRAWN_LENGTH))
    return sent_id(params, name) or "".join(drawn)


def sent_id(params: Params, name: str) -> str:
    """The id that was sent; empty where none was."""
    found = params.get(name)
    if found and CLIENT_ID.fullmatch(found) is None:
        raise refused(ILLEGAL_ID, name)
    return found


def part_of(call: Call, from_name: str) -> Part:
    """Which part of a list is asked for, by time or from an id; a day at most between times."""
    params = call.params
    from_ms, to_ms = params.integer("startTime"), params.integer("endTime")
    if from_ms is not None and to_ms is not None and to_ms - from_ms > DAY_MS:
        raise BinanceError(*TOO_LONG_APART)
    return Part(
        from_ms=from_ms,
        to_ms=to_ms,
        from_id=params.integer(from_name),
        limit=params.limit(LIMIT, LIMIT_MAX),
    )
