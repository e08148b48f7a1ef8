"""Tests of the state as bytes."""

from pathlib import Path

import msgspec
import pytest

from exchange.commands import AnyCommand, Tick
from exchange.snapshot import BadState, digest_of, packed, restored
from risk.ledger import WORLD
from risk.parameters import Grant
from tests.exchange.tapes import Tape, an_hour_at_the_market, order
from tests.story import Story, small_venue


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    tape = Tape(tmp_path)
    an_hour_at_the_market(tape)
    tape.close()
    return tape


def test_the_restored_engine_is_the_same_and_goes_on_the_same(tape: Tape) -> None:
    made = packed(tape.engine)
    twin = restored(made.payload, made.digest)
    twin.check()
    assert twin.digest() == tape.engine.digest() == made.digest.hex()
    assert (twin.seq, twin.time_ms, twin.venue) == (
        tape.engine.seq,
        tape.engine.time_ms,
        tape.engine.venue,
    )
    seq, now_ms = twin.seq, twin.time_ms
    wishes: list[AnyCommand] = [
        msgspec.structs.replace(order("49001", 60), seq=seq + 1, time_ms=now_ms),
        Tick(seq=seq + 2, time_ms=now_ms + 9_000),
    ]
    assert [twin.apply(wish) for wish in wishes] == [tape.engine.apply(wish) for wish in wishes]
    assert twin.digest() == tape.engine.digest()


def test_bytes_with_another_digest_are_refused(tape: Tape) -> None:
    made = packed(tape.engine)
    with pytest.raises(BadState, match="digest"):
        restored(made.payload, bytes(16))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda fields: [2, *fields[1:]], "version"),
        (lambda fields: fields[:2], "cannot be read"),
        (lambda fields: [1, b"{}", fields[2]], "cannot be read"),
    ],
)
def test_what_another_version_wrote_is_refused(tape: Tape, change, why: str) -> None:
    made = packed(tape.engine)
    changed = msgspec.msgpack.encode(change(msgspec.msgpack.decode(made.payload)))
    with pytest.raises(BadState, match=why):
        restored(changed, made.digest)


def test_a_state_of_another_shape_is_refused(tape: Tape) -> None:
    version, venue, state = msgspec.msgpack.decode(packed(tape.engine).payload)
    fields = msgspec.msgpack.decode(state)
    del fields["books"]
    odd = msgspec.msgpack.encode(fields)
    with pytest.raises(BadState, match="not of this version"):
        restored(msgspec.msgpack.encode([version, venue, odd]), digest_of(odd))


def test_a_venue_whose_sums_pass_64_bits_has_a_digest_and_comes_back() -> None:
    """Three accounts of 4 x 10^18 units: the world stands at -1.2 x 10^19."""
    story = Story(small_venue(deposits=(Grant("spot", "USDT", 4 * 10**18),)))
    for _ in range(3):
        story.account()
    risk = story.engine.risk
    for name in ("bad_debt", "interest_paid"):
        getattr(risk, name)["ETH"] = 2**64
    made = packed(story.engine)
    twin = restored(made.payload, made.digest)
    assert twin.digest() == story.engine.digest()
    assert twin.risk.ledger.house_minor(WORLD, "USDT") < -(2**63)
    assert twin.risk.bad_debt == risk.bad_debt
    assert twin.risk.interest_paid == risk.interest_paid
