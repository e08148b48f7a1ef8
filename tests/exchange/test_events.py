"""Tests of events: numbered without a gap, encoded under their tags, and all of them told."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from exchange.events import Answered, AnyEvent, Event, PrivateEvent, PublicEvent
from exchange.gateway.native.translate import CHANNEL_OF, said
from exchange.views.accounts import Accounts
from exchange.views.board import Board
from risk.account import MARGIN
from risk.ledger import FIRST_ACCOUNT
from tests.exchange.eventful import eventful, the_rest
from tests.risk.stories import borrow, spent
from tests.story import START_MS, Story, flat_fees, of, small_venue, units

KINDS: tuple[type[Event], ...] = get_args(AnyEvent)
PRIVATE: tuple[type[Any], ...] = get_args(PrivateEvent)
PUBLIC: tuple[type[Any], ...] = get_args(PublicEvent)


@pytest.fixture(scope="module")
def story() -> Story:
    """It begins an hour before midnight, and who trades comes into another fee tier then."""
    fees = flat_fees()
    tiers = (*fees.perp, msgspec.structs.replace(fees.perp[0], volume_minor=units("1000")))
    fees = msgspec.structs.replace(fees, perp=tiers)
    start_ms = START_MS - 3_600_000
    # The fund is small: who is ahead must take what it cannot.
    funds = {"insurance_minor": units("5000"), "margin_insurance_minor": 0}
    story = Story(small_venue(start_ms=start_ms, fees=fees, **funds))
    eventful(story)
    # A fourth has nothing left of what it borrowed, and nobody to pay for it: the pool loses it.
    four = story.account("four", margin_BTC="10")
    borrow(story, four, MARGIN, "ETH", "0.2")
    spent(story, four, MARGIN, "ETH", "0.2")
    spent(story, four, MARGIN, "BTC", "10")
    story.deposit(four, MARGIN, "USDT", "0.1")
    story.wait(20_000)
    the_rest(story)
    return story


def test_the_story_tells_of_everything_that_may_happen(story: Story) -> None:
    """The other tests of this module lean on it."""
    assert {type(event) for event in story.events} == set(KINDS)


def test_every_event_is_private_or_public_or_the_answer() -> None:
    assert len({*PRIVATE, *PUBLIC, Answered}) == len(PRIVATE) + len(PUBLIC) + 1 == len(KINDS)
    for kind in KINDS:
        mine = {"account_id", "n"} & set(kind.__struct_fields__)
        assert bool(mine) is (kind in PRIVATE), kind
        assert len(mine) in (0, 2), kind


def test_the_events_of_each_account_are_numbered_1_2_3(story: Story) -> None:
    seen: dict[int, int] = {}
    for event in story.events:
        if isinstance(event, PRIVATE):
            seen[event.account_id] = seen.get(event.account_id, 0) + 1
            assert event.n == seen[event.account_id], event
    assert len(seen) == 4
    accounts = story.engine.risk.accounts
    assert seen == {number: accounts[number].event_n for number in seen}


def test_the_house_has_no_private_events(story: Story) -> None:
    """Though the insurance fund traded."""
    assert all(
        event.account_id >= FIRST_ACCOUNT for event in story.events if isinstance(event, PRIVATE)
    )
    assert all(story.engine.risk.accounts[house].event_n == 0 for house in (3, 6))


def test_each_command_has_one_answer_and_its_events_carry_its_number(story: Story) -> None:
    answers = of(story.events, Answered)
    assert [each.seq for each in answers] == [each.seq for each in story.commands]
    moments = {command.seq: command.time_ms for command in story.commands}
    before = 0
    for event in story.events:
        assert event.seq in (before, before + 1)
        assert event.time_ms == moments[event.seq]
        before = event.seq


def test_tags_are_unique_so_that_no_event_is_taken_for_another() -> None:
    assert len({kind.__struct_config__.tag for kind in KINDS}) == len(KINDS)


def test_events_come_back_from_bytes_as_they_were(story: Story) -> None:
    encoded = msgspec.json.encode(story.events)
    assert msgspec.json.decode(encoded, type=list[AnyEvent]) == story.events


def test_every_event_of_the_story_can_be_said_to_a_client(story: Story) -> None:
    """By the desk of the living engine, whose accounts may have gone on since."""
    board = Board(story.engine.instruments)
    board.restore(story.engine)
    desk = Accounts(story.engine, board)
    for event in story.events:
        message = said(event, board.instruments, desk)
        if isinstance(event, Answered):
            assert message is None
            continue
        assert message is not None, event
        channel, say = message
        assert msgspec.json.decode(msgspec.json.encode(say))
        if isinstance(event, PRIVATE):
            assert channel == CHANNEL_OF[type(event)]
