"""Tests of the report as people read it."""

import msgspec

from clients.load.report import SlowSay, make_report
from clients.load.report_text import lines_of, shown_ms, table
from clients.load.server_side import between, reading_of
from tests.clients.load.metrics import AFTER, BEFORE
from tests.clients.load.test_report import URL, reported
from tests.clients.load.worlds import driven, shape, stalling, surly


async def test_people_read_a_table() -> None:
    plan, record, _ = await driven(stalling(5, 6), shape(ramp_from=20, rate=180))
    server = between(reading_of(BEFORE), reading_of(AFTER), 2)
    record.lose("4008")
    slow = SlowSay(2, 70, {"4008": 1})
    report = make_report(plan, record, url=URL, server=server, slow_readers=slow)
    text = "\n".join(lines_of(report))
    assert "2 connections to ws://127.0.0.1:8080/v1/ws, 20/s climbing to 180/s, 10 s" in text
    assert "planned 1,000 (100.0/s)" in text
    heads = ("count", "p50", "p99.9", "from the planned time", "from sending", "sent late by")
    assert all(head in text for head in heads)
    assert "planned/s" in text  # The tenths, of a ramp.
    assert "slow readers: 2, 70 messages read; closed: 4008 x1" in text
    assert "connections lost: 4008 x1" in text
    assert "400 commands (200.0/s" in text
    assert "its process took 50.0% of a core, 2500 us a command" in text
    assert "the generator itself: busy 0.0% of a core" in text
    lines = text.splitlines()
    table = lines[lines.index("") + 1 :][:16]
    assert max(len(line) for line in table) <= 100


async def test_people_are_told_what_was_not_done_and_what_could_not_be_read() -> None:
    text = "\n".join(lines_of(await reported(surly)))
    assert "INSUFFICIENT_BALANCE x" in text
    assert "/metrics) could not be read" in text
    assert "planned/s" not in text


async def test_a_dialect_is_told_with_its_sockets() -> None:
    plan, record, _ = await driven(surly)
    report = make_report(plan, record, url=URL, dialect="binance", sockets=7, exchange="1 pure")
    assert lines_of(report)[0].startswith(f"2 connections (7 sockets, binance) to {URL} (1 pure)")


def test_long_times_lose_their_microseconds() -> None:
    assert [shown_ms(ms) for ms in (0.1234, 99.9994, 123.456, 12_345.6)] == [
        *("0.123", "99.999", "123.5", "12,345.6"),
    ]


def test_numbers_stand_to_the_right() -> None:
    assert table([("name", "n"), ("a", "1,000")]) == ["name      n", "a     1,000"]


async def test_a_gateway_tells_of_no_groups() -> None:
    plan, record, _ = await driven(surly)
    server = between(reading_of(BEFORE), reading_of(AFTER), 2)
    assert server is not None
    texts = []
    for groups in (server.groups, 0):
        alike = msgspec.structs.replace(server, groups=groups)
        texts.append("\n".join(lines_of(make_report(plan, record, url=URL, server=alike))))
    assert "2 commands to a sync of 2 ms, 100 us each in the engine (2.0% of the time)" in texts[0]
    assert "to a sync" not in texts[1]
