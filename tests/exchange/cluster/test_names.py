"""Keys of a venue: one prefix, one slot, no two alike."""

from __future__ import annotations

from exchange.cluster.names import Names

ATTRIBUTES = [
    "epoch",
    "leader",
    "commands",
    "log",
    "snapshots",
    "status",
    "keys",
    "keys_changed",
    "meta",
    "asks",
    "handover",
]


def test_the_keys_of_a_venue_share_a_prefix_and_a_slot_and_differ() -> None:
    names = Names("class-7b")
    keys = [getattr(names, each) for each in ATTRIBUTES]
    keys += [names.snapshot(5), names.answers("g1"), names.handed("1")]
    assert all(key.startswith("papertape:{class-7b}:") for key in keys)
    assert len(set(keys)) == len(keys)


def test_two_venues_have_no_key_in_common() -> None:
    one, other = Names("one"), Names("other")
    assert not {getattr(one, a) for a in ATTRIBUTES} & {getattr(other, a) for a in ATTRIBUTES}
