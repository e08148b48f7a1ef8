"""Fields of a request, from path, query, body or frame, as the record its operation takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from exchange.gateway.calls import ApiError, refusal
from exchange.gateway.native.asks import RawBatchAsk
from exchange.gateway.native.routes import Route
from exchange.wire import Ask, BatchAsk
from matching.limits import BATCH_ORDERS_MAX
from matching.reasons import Reason

AskKind = TypeVar("AskKind", bound=Ask)

CLIENT_ID_NAME: Final = "client:"  # How a path names an order or a list by its client id.
NUMBERED: Final = {"id": "order_id", "list": "list_id"}  # What it names by number or client id.
IN_QUERY: Final = frozenset({"GET", "DELETE"})
NAMED_CHARS_MAX: Final = 60  # A field's name is repeated in a refusal only so far.

_UNKNOWN: Final = re.compile(r"unknown field `(.*?)`", re.DOTALL)
_MISSING: Final = re.compile(r"missing required field `(\w+)`")
_AT: Final = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)


def rest_ask(
    route: Route, in_path: Mapping[str, str], query: Iterable[tuple[str, str]], body: bytes
) -> Ask:
    """The record of a REST request; an ApiError names what is wrong with it.

    GET and DELETE take their fields from the query, the others from a JSON body; what the path
    names may stand nowhere else.
    """
    named = _path_fields(in_path)
    asked = _once(query)
    if route.method in IN_QUERY:
        if body:
            raise refusal(Reason.MALFORMED_REQUEST, f"{route.method} takes no body; use the query")
        return as_ask(route, _joined(asked, named), text=True)
    if asked:
        raise unknown_field(next(iter(asked)), "fields of this request stand in its JSON body")
    if not named:
        return as_ask(route, body or b"{}")
    return as_ask(route, _joined(_document(body or b"{}"), named))


def as_ask(route: Route, fields: bytes | Mapping[str, Any], *, text: bool = False) -> Ask:
    """The record an operation takes, from JSON or from fields; `text` where all values are text."""
    kind: type[Ask] = RawBatchAsk if route.ask is BatchAsk else route.ask
    ask = converted(fields, kind, text=text)
    if isinstance(ask, RawBatchAsk) and len(ask.orders) > BATCH_ORDERS_MAX:
        raise refusal(Reason.BATCH_TOO_LARGE, max=BATCH_ORDERS_MAX, given=len(ask.orders))
    return ask


def converted(
    fields: bytes | Mapping[str, Any], kind: type[AskKind], *, text: bool = False
) -> AskKind:
    """Fields as a record of that kind; an ApiError names the field that does not fit."""
    try:
        if isinstance(fields, bytes):
            return msgspec.json.decode(fields, type=kind)
        return msgspec.convert(fields, kind, strict=not text)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None


def unknown_field(name: str, more: str = "") -> ApiError:
    """The refusal of a field that has no meaning here, by its name."""
    return refusal(Reason.UNKNOWN_FIELD, more, field=name[:NAMED_CHARS_MAX])


def _document(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> ApiError:
    if isinstance(error, RecursionError):
        return refusal(Reason.MALFORMED_REQUEST, "it is nested too deeply")
    return refusal(Reason.MALFORMED_REQUEST, f"the body is no JSON: {error}")


def _invalid(told: str) -> ApiError:
    """What msgspec says of a value, in our words and with the field's name apart."""
    at = _AT.search(told)
    path = at[1] if at else ""
    if unknown := _UNKNOWN.search(told):
        return unknown_field(".".join(filter(None, (path, unknown[1]))))
    if missing := _MISSING.search(told):
        return refusal(Reason.MISSING_FIELD, field=".".join(filter(None, (path, missing[1]))))
    plain = _AT.sub("", told)[:200]
    out_of_range = plain.startswith("Invalid enum value") or any(
        word in plain for word in ("of length", ">=", "<=", "matching regex", "out of range")
    )
    reason = Reason.FIELD_OUT_OF_RANGE if out_of_range else Reason.MALFORMED_REQUEST
    details = {"field": path[:NAMED_CHARS_MAX]} if path else {}
    if not out_of_range and plain.startswith("Expected `str") and "got `str" not in plain:
        plain += ' (numbers are sent as text, as in "0.5")'
    return refusal(reason, plain, **details)


def _path_fields(in_path: Mapping[str, str]) -> dict[str, Any]:
    """What a path names: its fields as they are, an order or a list by its id or client id."""
    named: dict[str, Any] = dict(in_path)
    for name, field in NUMBERED.items():
        given = named.pop(name, None)
        if given is None:
            continue
        if given.startswith(CLIENT_ID_NAME):
            named["client_id"] = given.removeprefix(CLIENT_ID_NAME)
        elif given.isascii() and given.isdigit() and len(given) <= 16:  # noqa: PLR2004 - 2^53
            named[field] = int(given)
        else:
            raise refusal(
                Reason.FIELD_OUT_OF_RANGE,
                f"it is named by its number, or by {CLIENT_ID_NAME} and its client id",
                field=name,
            )
    return named


def _once(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The query's fields, each of which may stand there once."""
    fields: dict[str, str] = {}
    for name, value in query:
        if name in fields:
            raise refusal(
                Reason.MALFORMED_REQUEST,
                "a field stands twice in the query",
                field=name[:NAMED_CHARS_MAX],
            )
        fields[name] = value
    return fields


def _joined(fields: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of body or query with those of the path, which stand in the path alone."""
    for name in named:
        if name in fields:
            raise unknown_field(name, "it stands in the path already")
    return {**fields, **named}
