"""The public documents: OpenAPI 3.1 and AsyncAPI 3.0, made of the routes and the wire's records."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, get_args

import msgspec

from exchange import __version__, wire
from exchange.gateway import auth
from exchange.gateway.native.asks import IntervalName
from exchange.gateway.native.routes import REST_ROUTES, ROUTES, Route

TITLE: Final = "Papertape"
ABOUT: Final = (
    "A paper-trading exchange: spot margin and perpetual contracts. Nothing here is real money. "
    "Prices, quantities and amounts are decimal strings, times epoch milliseconds."
)
REF: Final = "#/components/schemas/{name}"
EITHER_NAME: Final = {"id": ("order_id", "client_id"), "list": ("list_id", "client_id")}
JSON: Final = "application/json"
PATH_NAME: Final = re.compile(r"\{(\w+)\}")

SIGNING: Final = (
    "Sign timestamp, METHOD, path with query as sent and raw body, joined without separators: "
    "HMAC-SHA256 in lower-case hex, Ed25519 or RSA (PKCS #1 v1.5, SHA-256) in base64."
)

# What each channel says; a book says a snapshot first and differences after it.
CHANNELS: Final[dict[str, tuple[str, tuple[type[wire.Say], ...]]]] = {
    "book.{symbol}": ("Depth: a snapshot, then numbered changes", (wire.BookSay, wire.BookDiffSay)),
    "bbo.{symbol}": ("Best bid and offer", (wire.BboSay,)),
    "trades.{symbol}": ("Public trades", (wire.TradeSay,)),
    "candles.{interval}.{symbol}": ("The candle being drawn", (wire.CandleSay,)),
    "ticker.{symbol}": ("The last 24 hours in one line", (wire.TickerSay,)),
    "mark.{symbol}": ("Index, mark and the funding to come", (wire.MarkSay,)),
    "funding.{symbol}": ("Funding rates as they are fixed", (wire.FundingSay,)),
    "liquidations": ("Forced trades, without the name of their owner", ()),
    "status": ("Trading states and the state of the exchange", ()),
    "orders": ("The account's orders, numbered", (wire.OrderSay,)),
    "fills": ("The account's fills, numbered", (wire.FillSay,)),
    "balances": ("The account's balances, numbered", (wire.BalanceSay,)),
    "positions": ("The account's positions: numbered changes, and gauges", (wire.PositionSay,)),
    "lists": ("Order lists as they stand", (wire.OrderListSay,)),
    "ledger": ("The account's postings, numbered", (wire.LedgerSay,)),
    "margin": ("Margin calls, numbered, and the margin levels as a gauge", (wire.MarginSay,)),
}

# What a connection says about itself.
SESSION: Final[dict[str, type[wire.Ask]]] = {
    "login": wire.LoginAsk,
    "subscribe": wire.SubscribeAsk,
    "unsubscribe": wire.SubscribeAsk,
    "resume": wire.ResumeAsk,
}

Schema = dict[str, Any]


# -- OpenAPI -----------------------------------------------------------------------------------


def openapi() -> Schema:
    """The OpenAPI 3.1 document of the native REST."""
    types = _types_of(REST_ROUTES)
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, Schema] = {}
    for route in REST_ROUTES:
        operation = _operation(route, schema_of, components)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    components["ErrorBody"] = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"$ref": REF.format(name="ErrorSay")}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": __version__, "description": ABOUT},
        "servers": [{"url": "/", "description": "This exchange"}],
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, REST_ROUTES))],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security_schemes()},
    }


def _types_of(routes: Iterable[Route]) -> list[Any]:
    """Every type the routes take or say, each once, and the refusal."""
    found: list[Any] = [wire.ErrorSay]
    for route in routes:
        found += [kind for kind in (route.ask, route.say) if kind not in found]
    return found


def _operation(route: Route, schema_of: dict[str, Schema], components: Schema) -> Schema:
    body_fields, parameters = _parameters(route, schema_of, components)
    operation: Schema = {
        "operationId": route.op,
        "summary": route.summary,
        "description": _description(route),
        "tags": [_tag(route)],
        "parameters": parameters,
        "responses": {
            str(route.status): _content("Done", schema_of[repr(route.say)]),
            "4XX": _content("Refused; nothing changed", {"$ref": REF.format(name="ErrorBody")}),
        },
        "security": _security(route),
    }
    if body_fields is not None:
        operation["requestBody"] = {
            "required": bool(body_fields.get("required")) or "$ref" in body_fields,
            "content": {JSON: {"schema": body_fields}},
        }
    return operation


def _parameters(
    route: Route, schema_of: dict[str, Schema], components: Schema
) -> tuple[Schema | None, list[Schema]]:
    """The body's schema (None without a body), and the parameters in path and query."""
    ask = _resolved(schema_of[repr(route.ask)], components)
    fields: dict[str, Schema] = ask.get("properties", {})
    in_path = PATH_NAME.findall(route.path)
    parameters = [_path_parameter(name, fields) for name in in_path]
    named = _named_by(in_path)
    rest = {name: schema for name, schema in fields.items() if name not in named}
    if route.method in {"GET", "DELETE"}:
        needed = ask.get("required", [])
        parameters += [
            {"name": name, "in": "query", "required": name in needed, "schema": schema}
            for name, schema in rest.items()
        ]
        return None, parameters
    if not in_path:
        return schema_of[repr(route.ask)], parameters
    body: Schema = {"type": "object", "properties": rest, "additionalProperties": False}
    if needed := [name for name in ask.get("required", []) if name in rest]:
        body["required"] = needed
    return body, parameters


def _named_by(in_path: list[str]) -> set[str]:
    """The fields a path names; `{id}` and `{list}` stand for either name of an order or a list."""
    return {field for name in in_path for field in EITHER_NAME.get(name, (name,))}


def _path_parameter(name: str, fields: dict[str, Schema]) -> Schema:
    schema = fields.get(name, {"type": "string"})
    parameter: Schema = {"name": name, "in": "path", "required": True, "schema": schema}
    if name in EITHER_NAME:
        parameter["description"] = "Its number, or `client:` and its client id"
    return parameter


def _resolved(schema: Schema, components: Schema) -> Schema:
    """A schema, or the component it refers to."""
    reference = schema.get("$ref", "")
    found: Schema = components[reference.rpartition("/")[2]] if reference else schema
    return found


def _content(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {JSON: {"schema": schema}}}


def _description(route: Route) -> str:
    told = [f"WebSocket op `{route.op}`."] if route.websocket else ["Over REST alone."]
    if route.permission is not None:
        told.append(f"The key needs the permission `{route.permission}`.")
    if route.security == "open":
        told.append("Open on loopback; elsewhere, or with --require-admin, needs the admin key.")
    if route.safe_to_repeat and route.mutates:
        told.append("With a client_id it is safe to repeat.")
    return " ".join(told)


def _tag(route: Route) -> str:
    return route.path.split("/")[2]


def _security(route: Route) -> list[dict[str, list[str]]]:
    """Which headers it takes; the alternatives of an open route are none, or the admin key."""
    signed: dict[str, list[str]] = {"key": [], "timestamp": [], "signature": []}
    admin: dict[str, list[str]] = {"admin": []}
    needed: dict[str, list[dict[str, list[str]]]] = {
        "public": [],
        "signed": [signed],
        "admin": [admin],
        "open": [{}, admin],
    }
    return needed[route.security]


def _security_schemes() -> Schema:
    def header(name: str, description: str) -> Schema:
        return {"type": "apiKey", "in": "header", "name": name, "description": description}

    return {
        "key": header(auth.KEY_HEADER, "The API key"),
        "timestamp": header(
            auth.TIMESTAMP_HEADER,
            f"Epoch milliseconds; {auth.WINDOW_HEADER} (default 5000, at most 60000) is how old "
            "the request may be when it arrives",
        ),
        "signature": header(auth.SIGNATURE_HEADER, SIGNING),
        "admin": header(auth.ADMIN_HEADER, "The admin key, which `papertape keys admin` shows"),
    }


# -- AsyncAPI ----------------------------------------------------------------------------------


def asyncapi() -> Schema:
    """The AsyncAPI 3.0 document of `/v1/ws`: its requests, their replies, and its channels."""
    routes = [route for route in ROUTES if route.websocket]
    said = [kind for _, kinds in CHANNELS.values() for kind in kinds]
    types = _types_of(routes)
    types += [ask for ask in SESSION.values() if ask not in types]
    types += [kind for kind in dict.fromkeys([*said, wire.Reply, wire.Push]) if kind not in types]
    schemas, components = msgspec.json.schema_components(dict.fromkeys(types), ref_template=REF)
    schema_of = dict(zip(map(repr, dict.fromkeys(types)), schemas, strict=True))
    asked: Schema = {}
    for route in routes:
        fields = _resolved(schema_of[repr(route.ask)], components)
        about = {"summary": route.summary, "description": _description(route)}
        asked[route.op] = _request_message(route.op, fields) | about
        asked[f"{route.op}.reply"] = _reply_message(route.op, schema_of[repr(route.say)])
    for op, ask in SESSION.items():
        asked[op] = _request_message(op, _resolved(schema_of[repr(ask)], components))
        asked[f"{op}.reply"] = _reply_message(op, {})
    pushes = {
        name: _push_message(name, about, [schema_of[repr(kind)] for kind in kinds])
        for name, (about, kinds) in CHANNELS.items()
    }
    messages = {_key(name): message for name, message in (asked | pushes).items()}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": TITLE, "version": __version__, "description": ABOUT},
        "defaultContentType": JSON,
        "servers": {"here": {"host": "localhost", "protocol": "ws", "pathname": "/"}},
        "channels": {"ws": {"address": "/v1/ws", "messages": messages}},
        "operations": _operations([*(route.op for route in routes), *SESSION], list(pushes)),
        "components": {"schemas": components},
    }


def _ref(name: str) -> str:
    return REF.format(name=name)


def _key(name: str) -> str:
    """A name as the key of a message: letters, digits, dots and underscores."""
    return re.sub(r"[{}]", "", name)


def _operations(ops: list[str], pushes: list[str]) -> Schema:
    """As AsyncAPI 3 has it, seen from the exchange: it receives requests, it sends pushes."""
    channel = {"$ref": "#/channels/ws"}

    def of(name: str) -> Schema:
        return {"$ref": f"#/channels/ws/messages/{_key(name)}"}

    asked: Schema = {
        op: {
            "action": "receive",
            "channel": channel,
            "messages": [of(op)],
            "reply": {"channel": channel, "messages": [of(f"{op}.reply")]},
        }
        for op in ops
    }
    told: Schema = {
        f"push.{_key(name)}": {"action": "send", "channel": channel, "messages": [of(name)]}
        for name in pushes
    }
    return asked | told


def _request_message(op: str, fields: Schema) -> Schema:
    """A request: `id` and `op` beside the fields of the operation."""
    payload: Schema = {
        "type": "object",
        "required": ["op", *fields.get("required", [])],
        "properties": {
            "id": {"description": "Comes back in the reply"},
            "op": {"const": op},
            **fields.get("properties", {}),
        },
        "additionalProperties": False,
    }
    return {"name": op, "payload": payload}


def _reply_message(op: str, result: Schema) -> Schema:
    payload = {"allOf": [{"$ref": _ref("Reply")}, {"properties": {"result": result}}]}
    return {"name": f"{op}.reply", "payload": payload}


def _push_message(name: str, about: str, kinds: list[Schema]) -> Schema:
    payload: Schema = {"$ref": _ref("Push")}
    if kinds:
        data = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        payload = {"allOf": [payload, {"type": "object", "properties": {"data": data}}]}
    message: Schema = {"name": name, "summary": about, "payload": payload}
    if "{interval}" in name:
        message["description"] = "Intervals: " + ", ".join(get_args(IntervalName))
    return message
