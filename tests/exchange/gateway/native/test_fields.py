"""Fields from path, query and body as records, and what is said of those that do not fit."""

from __future__ import annotations

import pytest

from exchange.gateway.calls import ApiError
from exchange.gateway.native import asks
from exchange.gateway.native.fields import as_ask, rest_ask
from exchange.gateway.native.routes import BY_OP
from exchange.wire import Ask, OrderAsk, OrderListAsk

ORDER = b'{"symbol":"BTC-USDT","side":"buy","type":"limit","qty":"1","price":"2"}'


def rest(
    op: str,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: bytes = b"",
) -> Ask:
    return rest_ask(BY_OP[op], path or {}, (query or {}).items(), body)


def refused(
    op: str,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: bytes = b"",
) -> ApiError:
    with pytest.raises(ApiError) as caught:
        rest(op, path=path, query=query, body=body)
    return caught.value


def test_a_body_becomes_its_record() -> None:
    ask = rest("order.place", body=ORDER)
    assert ask == OrderAsk(symbol="BTC-USDT", side="buy", type="limit", qty="1", price="2")


def test_an_empty_body_is_one_without_fields() -> None:
    assert rest("account.reset") == asks.ResetAsk()


def test_a_query_becomes_numbers_where_numbers_are_meant() -> None:
    ask = rest("order.list", query={"status": "all", "limit": "7", "before_id": "12"})
    assert ask == OrderListAsk(status="all", limit=7, before_id=12)


@pytest.mark.parametrize(
    ("name", "order_id", "client_id"),
    [("12", 12, ""), ("client:mine", None, "mine"), ("client:7", None, "7")],
)
def test_a_path_names_an_order_by_id_or_client_id(
    name: str, order_id: int | None, client_id: str
) -> None:
    ask = rest("order.status", path={"id": name})
    assert ask == asks.OrderNameAsk(order_id=order_id, client_id=client_id)


@pytest.mark.parametrize("name", ["mine", "-1", "1.5", "٣", "9" * 17, ""])
def test_another_name_of_an_order_is_refused(name: str) -> None:
    assert refused("order.status", path={"id": name}).details["field"] == "id"


def test_path_and_body_are_joined_and_say_nothing_twice() -> None:
    ask = rest("order.amend", path={"id": "12"}, body=b'{"qty":"1"}')
    assert ask == asks.OrderAmendAsk(order_id=12, qty="1")
    error = refused("order.amend", path={"id": "12"}, body=b'{"order_id":13,"qty":"1"}')
    assert (error.code, error.details) == ("UNKNOWN_FIELD", {"field": "order_id"})


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "MISSING_FIELD", "symbol"),
        (b"{", "MALFORMED_REQUEST", None),
        (b"\xff", "MALFORMED_REQUEST", None),
        (b'{"symbol":"\xff"}', "MALFORMED_REQUEST", None),
        (b"[]", "MALFORMED_REQUEST", None),
        (b"null", "MALFORMED_REQUEST", None),
        (b"[" * 5_000, "MALFORMED_REQUEST", None),
        (ORDER[:-1] + b',"colour":"red"}', "UNKNOWN_FIELD", "colour"),
        (ORDER.replace(b'"1"', b"1"), "MALFORMED_REQUEST", "qty"),
        (ORDER.replace(b'"buy"', b'"BUY"'), "FIELD_OUT_OF_RANGE", "side"),
        (ORDER.replace(b'"limit"', b'"trailing_stop_limit"'), "FIELD_OUT_OF_RANGE", "type"),
        (ORDER.replace(b'"1"', b'"' + b"1" * 41 + b'"'), "FIELD_OUT_OF_RANGE", "qty"),
        (ORDER[:-1] + b',"client_id":"a b"}', "FIELD_OUT_OF_RANGE", "client_id"),
        (ORDER[:-1] + b',"leverage":126}', "FIELD_OUT_OF_RANGE", "leverage"),
        (ORDER[:-1] + b',"leverage":1e999}', "FIELD_OUT_OF_RANGE", "leverage"),
        (ORDER[:-1] + b',"post_only":"yes"}', "MALFORMED_REQUEST", "post_only"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_field(
    body: bytes, code: str, field: str | None
) -> None:
    error = refused("order.place", body=body)
    assert error.code == code
    if field is not None:
        assert error.details["field"] == field


def test_a_number_where_text_is_meant_is_told_how_to_write_it() -> None:
    assert 'as in "0.5"' in refused("order.place", body=ORDER.replace(b'"1"', b"1")).message


def test_a_query_has_no_place_beside_a_body_nor_a_body_beside_a_query() -> None:
    assert refused("order.place", query={"symbol": "BTC-USDT"}, body=ORDER).code == "UNKNOWN_FIELD"
    assert refused("order.list", body=b"{}").code == "MALFORMED_REQUEST"


def test_a_field_stands_once_in_a_query() -> None:
    with pytest.raises(ApiError) as caught:
        rest_ask(BY_OP["order.list"], {}, [("limit", "1"), ("limit", "2")], b"")
    assert caught.value.details == {"field": "limit"}


@pytest.mark.parametrize("limit", ["0", "1001", "x", "1.5", ""])
def test_a_query_number_out_of_range_is_refused(limit: str) -> None:
    assert refused("order.list", query={"limit": limit}).details["field"] == "limit"


def test_the_orders_of_a_batch_are_counted_and_not_yet_read() -> None:
    fifty = as_ask(BY_OP["order.batch"], {"orders": [{"nonsense": 1}] * 50})
    assert isinstance(fifty, asks.RawBatchAsk)
    with pytest.raises(ApiError) as caught:
        as_ask(BY_OP["order.batch"], {"orders": [{}] * 51})
    assert caught.value.code == "BATCH_TOO_LARGE"
    with pytest.raises(ApiError):
        as_ask(BY_OP["order.batch"], {"orders": []})
