"""Tests of the record: what came of a plan, counted from the planned time."""

from clients.load.plan import NS_PER_S, Item, Kind, Plan
from clients.load.record import REFUSED, SLICES, Record, Slice
from tests.clients.load.worlds import MS, shape

# One second of warm-up, ten measured, as in `shape()`.
FROM_NS, END_NS = NS_PER_S, 11 * NS_PER_S


def item(at_ns: int, kind: Kind = "place") -> Item:
    return Item(at_ns, 0, kind, "BTC-USDT", order=1, size=1, distance_bps=50)


def record() -> Record:
    return Record(Plan(shape(), (), FROM_NS, END_NS))


def test_a_latency_counts_from_the_planned_time_and_also_from_the_sending() -> None:
    kept = record()
    kept.send(7, item(2 * NS_PER_S), 2 * NS_PER_S + 30 * MS)
    kept.answer(7, "", 2 * NS_PER_S + 50 * MS)
    latency = kept.latencies["place"]
    assert (latency.from_planned.max, latency.from_sent.max) == (50 * MS, 20 * MS)
    assert kept.lateness.max == 30 * MS
    assert (kept.sent, kept.done, kept.refused) == (1, 1, 0)
    assert (kept.last_sent_ns, kept.last_answer_ns) == (2_030 * MS, 2_050 * MS)


def test_what_was_planned_for_the_warm_up_is_not_measured_even_if_it_is_answered_later() -> None:
    kept = record()
    kept.send(1, item(FROM_NS - 1), FROM_NS + 5)
    kept.answer(1, "", FROM_NS + 9)
    kept.send(2, item(FROM_NS - 1), FROM_NS + 5)
    kept.end(END_NS)
    assert (kept.warm_up, kept.sent, kept.answered, kept.unanswered) == (2, 0, 0, 0)
    assert kept.whole().from_planned.count == 0


def test_refusals_are_kept_apart_and_counted_by_code() -> None:
    kept = record()
    for number, error in enumerate(("", "NOPE", "NOPE", "OTHER")):
        kept.send(number, item(FROM_NS, "amend"), FROM_NS)
        kept.answer(number, error, FROM_NS + (number + 1) * MS)
    assert (kept.done, kept.refused) == (1, 3)
    assert kept.errors["amend"] == {"NOPE": 2, "OTHER": 1}
    assert kept.whole().from_planned.max == MS
    assert kept.latencies[REFUSED].from_planned.max == 4 * MS


def test_whoever_was_never_answered_counts_with_the_time_it_waited() -> None:
    kept = record()
    kept.send(1, item(4 * NS_PER_S), 5 * NS_PER_S)
    kept.end(11 * NS_PER_S)
    assert kept.unanswered == 1
    assert kept.errors["place"] == {"UNANSWERED": 1}
    assert kept.latencies["place"].from_planned.max == 7 * NS_PER_S
    assert kept.latencies["place"].from_sent.max == 6 * NS_PER_S
    assert not kept.waiting
    assert kept.ended_ns == 11 * NS_PER_S


def test_a_request_whose_connection_is_gone_was_not_sent() -> None:
    kept = record()
    kept.send(1, item(FROM_NS), FROM_NS)
    kept.take_back(1)
    kept.send(2, item(0), 0)
    kept.take_back(2)
    assert (kept.sent, kept.unsent) == (0, 1)
    assert kept.errors["place"] == {"CONNECTION_LOST": 1}
    assert not kept.waiting


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    kept = record()
    kept.send(1, item(FROM_NS), FROM_NS)
    kept.answer(1, "", FROM_NS + 1)
    kept.answer(1, "", FROM_NS + 2)
    kept.answer(99, "NOPE", FROM_NS + 3)
    assert (kept.done, kept.refused, kept.last_answer_ns) == (1, 0, FROM_NS + 1)


def test_each_tenth_of_the_measured_time_has_what_was_planned_in_it() -> None:
    kept = record()
    # Tenths of ten seconds from the first on: 1 ... 2 s is the first, 10 ... 11 s the last.
    for number, at_ns in enumerate((FROM_NS, 2 * NS_PER_S - 1, 2 * NS_PER_S, END_NS)):
        kept.send(number, item(at_ns), at_ns)
    kept.answer(0, "", FROM_NS + 9 * NS_PER_S)
    kept.answer(2, "NOPE", 2 * NS_PER_S + MS)
    tenths = kept.pieces(10)
    assert [piece.planned for piece in tenths] == [2, 1, *[0] * 7, 1]
    assert tenths[0].done == 1
    assert tenths[0].from_planned.max == 9 * NS_PER_S
    assert (tenths[1].done, tenths[1].refused) == (0, 1)


def test_all_kinds_in_one_leave_out_what_was_refused() -> None:
    kept = record()
    kinds: tuple[Kind, ...] = ("place", "take", "cancel")
    for number, kind in enumerate(kinds):
        kept.send(number, item(FROM_NS, kind), FROM_NS)
        kept.answer(number, "NOPE" if kind == "cancel" else "", FROM_NS + MS)
    assert kept.whole().from_sent.count == 2


def test_pushes_and_lost_connections_are_counted() -> None:
    kept = record()
    kept.push(100)
    kept.push(20)
    kept.lose("4008")
    assert (kept.pushes, kept.push_bytes, kept.lost) == (2, 120, {"4008": 1})


def test_pieces_of_any_width_hold_the_same() -> None:
    kept = record()
    for number in range(SLICES):
        at_ns = FROM_NS + number * (END_NS - FROM_NS) // SLICES
        kept.send(number, item(at_ns), at_ns)
        kept.answer(number, "", at_ns + MS)
    whole = Slice()
    for piece in kept.slices:
        assert (piece.planned, piece.done) == (1, 1)
        whole.add(piece)
    for count in (1, 4, 10):
        pieces = kept.pieces(count)
        assert [piece.planned for piece in pieces] == [SLICES // count] * count
        assert sum(piece.from_planned.sum for piece in pieces) == whole.from_planned.sum
