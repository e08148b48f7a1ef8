"""Tests of the REST side, against a small exchange."""

from typing import Any

import pytest

from clients.errors import PapertapeError
from clients.rest import Rest, segment
from clients.signing import Signer
from exchange.wire import AccountSay, BookSay, IndexAsk, OrderAsk, PreviewSay
from tests.clients.fake_exchange import ADMIN, KEY, SECRET, FakeExchange


async def test_a_public_question_is_not_signed(exchange: FakeExchange) -> None:
    rest = Rest(exchange.url, Signer(KEY, SECRET))
    book = await rest.get(BookSay, "/v1/book/BTC-USDT", limit=5)
    await rest.close()
    assert book.symbol == "BTC-USDT"
    assert exchange.signatures == []


async def test_a_signature_holds_over_path_query_and_body(exchange: FakeExchange) -> None:
    rest = Rest(exchange.url, Signer(KEY, SECRET))
    await rest.get(AccountSay, "/v1/account", signed=True, symbol="BTC-USDT", note="a b/ü", n=None)
    await rest.send(PreviewSay, "POST", "/v1/orders/preview", OrderAsk("BTC-USDT", "buy", "limit"))
    await rest.close()
    assert exchange.signatures == [True, True]


async def test_a_refusal_is_an_error_with_its_code(exchange: FakeExchange) -> None:
    rest = Rest(exchange.url)
    with pytest.raises(PapertapeError) as told:
        await rest.get(AccountSay, "/v1/nothing")
    await rest.close()
    assert told.value.code == "NOT_FOUND"
    assert told.value.details == {"path": "/v1/nothing"}


async def test_without_a_key_a_signed_request_is_not_even_sent(exchange: FakeExchange) -> None:
    rest = Rest(exchange.url)
    with pytest.raises(PapertapeError, match="NOT_AUTHENTICATED"):
        await rest.get(AccountSay, "/v1/account", signed=True)
    await rest.close()


async def test_the_administrators_key_travels_in_its_header(exchange: FakeExchange) -> None:
    ask = IndexAsk("50000")
    with pytest.raises(PapertapeError, match="ADMIN_KEY_NEEDED"):
        await Rest(exchange.url).admin(dict[str, Any], "PUT", "/v1/admin/index/BTC-USDT", ask)
    right, wrong = (Rest(exchange.url, admin_key=key) for key in (ADMIN, "wrong"))
    said = await right.admin(dict[str, Any], "PUT", "/v1/admin/index/BTC-USDT", ask)
    assert said == {"price": "50000"}
    with pytest.raises(PapertapeError, match="ADMIN_KEY_NEEDED it is"):
        await wrong.admin(dict[str, Any], "PUT", "/v1/admin/index/BTC-USDT", ask)
    await right.close()
    await wrong.close()


async def test_where_nobody_answers_the_error_says_where() -> None:
    rest = Rest("http://127.0.0.1:1")
    with pytest.raises(PapertapeError, match=r"UNREACHABLE: nobody answers at http://127.0.0.1:1"):
        await rest.get(BookSay, "/v1/book/BTC-USDT")
    await rest.close()


async def test_a_door_that_is_away_is_passed_over(exchange: FakeExchange) -> None:
    rest = Rest("http://127.0.0.1:1", others=[exchange.url])
    assert (await rest.get(BookSay, "/v1/book/BTC-USDT")).symbol == "BTC-USDT"
    await rest.close()


def test_a_name_is_one_segment_of_a_path() -> None:
    assert segment("client:a/b") == "client%3Aa%2Fb"
