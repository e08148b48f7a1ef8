"""The public documents: true to the table, and well formed."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from exchange.config import Binance, Config, Server
from exchange.gateway.native.routes import REST_ROUTES, ROUTES
from exchange.openapi import CHANNELS, SESSION, asyncapi, openapi
from exchange.wire import PRIVATE_CHANNELS, PUBLIC_CHANNELS, VENUE_CHANNELS
from tests.exchange.gateway.rig import ADMIN_KEY, running


def every_reference(node: Any) -> set[str]:
    """All `$ref`s below a node."""
    if isinstance(node, dict):
        found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return found.union(*(every_reference(child) for child in node.values()))
    if isinstance(node, list):
        return set().union(*(every_reference(child) for child in node)) if node else set()
    return set()


def resolve(document: Any, reference: str) -> Any:
    """What a local reference points at; a KeyError where it points at nothing."""
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_the_openapi_document_is_valid() -> None:
    validate(openapi())


@pytest.mark.parametrize("document", [openapi(), asyncapi()], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: Any) -> None:
    references = every_reference(document)
    assert len(references) > 20
    for reference in references:
        assert resolve(document, reference)


def test_every_operation_of_the_table_is_in_it_once() -> None:
    paths = openapi()["paths"]
    told = {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert told == {route.address: route.op for route in REST_ROUTES}


async def test_every_address_the_server_answers_is_in_it_and_no_other(tmp_path) -> None:
    pages = {"/", "/docs", "/web/market.js", "/web/docs.js", "/web/style.css"}
    not_rest = {"/healthz", "/metrics", "/openapi.json", "/asyncapi.json", "/v1/ws"} | pages
    # The Binance door is another's dialect, and documented by its own page.
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=Binance(enabled=False))
    async with running(tmp_path, config=config) as rig:
        registered = {
            f"{route.method} {route.resource.canonical}"
            for route in rig.app.router.routes()
            if route.resource is not None
            and route.method != "HEAD"
            and route.resource.canonical not in not_rest
        }
    told = {
        f"{method.upper()} {path}"
        for path, methods in openapi()["paths"].items()
        for method in methods
    }
    assert registered == told


def test_signed_operations_ask_for_the_headers_and_public_ones_for_none() -> None:
    document = openapi()
    schemes = document["components"]["securitySchemes"]
    for route in REST_ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        needed = {name for option in operation["security"] for name in option}
        assert needed <= set(schemes)
        expected = {
            "public": set(),
            "signed": {"key", "timestamp", "signature"},
            "admin": {"admin"},
            "open": {"admin"},
        }
        assert needed == expected[route.security]


def test_what_a_path_names_is_a_parameter_and_no_field_of_the_body() -> None:
    amend = openapi()["paths"]["/v1/orders/{id}"]["patch"]
    assert [(one["name"], one["in"]) for one in amend["parameters"]] == [("id", "path")]
    body = amend["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"qty", "price", "trigger_price"}
    listed = openapi()["paths"]["/v1/orders"]["get"]
    assert {one["in"] for one in listed["parameters"]} == {"query"}
    assert {one["name"] for one in listed["parameters"]} == {
        *("symbol", "status", "limit", "before_id")
    }


def test_every_websocket_operation_has_a_request_and_a_reply() -> None:
    document = asyncapi()
    ops = {route.op for route in ROUTES if route.websocket} | set(SESSION)
    operations = document["operations"]
    assert ops == {name for name in operations if not name.startswith("push.")}
    messages = document["channels"]["ws"]["messages"]
    for op in ops:
        assert messages[op]["payload"]["properties"]["op"] == {"const": op}
        assert f"{op}.reply" in messages


def test_every_channel_is_told() -> None:
    kinds = {re.split(r"\.", name)[0] for name in CHANNELS}
    assert kinds == {*PUBLIC_CHANNELS, *VENUE_CHANNELS, *PRIVATE_CHANNELS}
    pushes = {name for name in asyncapi()["operations"] if name.startswith("push.")}
    assert len(pushes) == len(CHANNELS)


def test_a_request_of_the_asyncapi_document_has_the_fields_of_its_record() -> None:
    messages = asyncapi()["channels"]["ws"]["messages"]
    place = next(route for route in ROUTES if route.op == "order.place")
    fields = {field.encode_name for field in msgspec.structs.fields(place.ask)}
    payload = messages["order.place"]["payload"]
    assert set(payload["properties"]) == fields | {"id", "op"}
    assert set(payload["required"]) == {"op", "symbol", "side", "type"}
