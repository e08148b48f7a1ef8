"""Tests of a line to the Binance door: what its messages are taken for."""

import pytest

from clients.load.binance.line import BinanceLine
from clients.load.driver import WallTimer
from clients.load.record import LIMITED, Record
from tests.clients.load.lines import blank, order


def heard(record: Record, *messages: bytes) -> None:
    line = BinanceLine(record, WallTimer())
    for message in messages:
        line._hear(message, 5)


def waiting(count: int) -> Record:
    record = blank()
    for number in range(count):
        record.send(number, order(number)[0], 0)
    return record


def test_replies_are_told_from_what_is_told_unasked() -> None:
    record = waiting(2)
    heard(
        record,
        b'{"id":0,"status":200,"result":{"orderId":1}}',
        b'{"result":null,"id":1}',
        b'{"e":"trade","E":1,"t":5}',
        b'{"stream":"a@trade","data":{"e":"trade"}}',
        b'[{"e":"24hrMiniTicker"}]'[1:-1],
    )
    assert (record.done, record.refused, record.pushes) == (2, 0, 3)


@pytest.mark.parametrize(
    ("status", "named"),
    [(400, "-7 Not so."), (429, f"{LIMITED} -7 Not so."), (418, f"{LIMITED} -7 Not so.")],
)
def test_refusals_are_counted_by_code_and_words_and_limits_as_such(status: int, named: str) -> None:
    record = waiting(1)
    said = f'{{"id":0,"status":{status},"error":{{"code":-7,"msg":"Not so."}}}}'
    heard(record, said.encode())
    assert record.errors["place"] == {named: 1}


def test_a_stream_refuses_without_a_status() -> None:
    record = waiting(1)
    heard(record, b'{"error":{"code":2,"msg":"Invalid request"},"id":0}')
    assert record.errors["place"] == {"2 Invalid request": 1}
