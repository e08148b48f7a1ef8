"""What a venue's keys in Redis are called, and what they hold.

All of them begin with `papertape:{VENUE}:`. The braces keep one venue's keys on one node of a
Redis Cluster, so that one script may touch several of them; an ACL rule can name them all.

    epoch           how often a leader was made; the newest number is the leader's
    leader          who leads: a core's name, gone when it has not been renewed for a moment
    commands        a stream of batches that gateways ask for: g (gateway), n (number of the
                    batch, rising per gateway: one that does not rise was sent twice and is
                    passed over), data (msgpack list of commands not yet stamped)
    log             a stream of what was decided, the id of an entry being LAST_SEQ-0: frame (a
                    frame of the journal's format, chain and all), at (the newest entry of
                    `commands` that is in the log), from (whose commands they are), epoch
    snapshots       a hash, seq -> what is known of a snapshot; its bytes are in snapshot:SEQ
    snapshot:SEQ    a list of the chunks of a snapshot
    status          a hash, a core's name -> what it says of itself
    keys, meta      hashes: API keys, and the few other secrets (the administrator's key)
    keys:changes    a stream of the keys that were made or revoked
    standby         there while a core that does not lead answers for the history; it expires
    asks            a stream of questions to the history, read by cores as one group
    answers:G       a stream of their answers to the gateway G
    handover        the number under which a joining core asks for a history; it expires
    handed:N        a list of the parts of the copy it gets
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "papertape"
DEFAULT_VENUE: Final = "main"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one venue's keys."""

    venue: str = DEFAULT_VENUE

    def _name(self, *parts: object) -> str:
        return ":".join((PREFIX, f"{{{self.venue}}}", *map(str, parts)))

    @property
    def epoch(self) -> str:
        """A counter: the fencing token of the newest leader."""
        return self._name("epoch")

    @property
    def leader(self) -> str:
        """The name of the core that leads; it expires."""
        return self._name("leader")

    @property
    def commands(self) -> str:
        """The stream of what gateways ask for."""
        return self._name("commands")

    @property
    def log(self) -> str:
        """The stream of what was decided."""
        return self._name("log")

    @property
    def snapshots(self) -> str:
        """The hash of snapshots by seq."""
        return self._name("snapshots")

    def snapshot(self, seq: int) -> str:
        """The list of one snapshot's chunks."""
        return self._name("snapshot", seq)

    @property
    def status(self) -> str:
        """The hash of what the cores say of themselves."""
        return self._name("status")

    @property
    def keys(self) -> str:
        """The hash of API keys."""
        return self._name("keys")

    @property
    def keys_changed(self) -> str:
        """The stream of keys that were made or revoked."""
        return self._name("keys", "changes")

    @property
    def meta(self) -> str:
        """The hash of other secrets."""
        return self._name("meta")

    @property
    def standby(self) -> str:
        """There while a core that does not lead answers for the history; it expires."""
        return self._name("standby")

    @property
    def asks(self) -> str:
        """The stream of questions to the history."""
        return self._name("asks")

    def answers(self, gateway: str) -> str:
        """The stream of answers to a gateway."""
        return self._name("answers", gateway)

    @property
    def handover(self) -> str:
        """The number under which a joining core asks for a history; it expires."""
        return self._name("handover")

    def handed(self, number: str) -> str:
        """The list of the parts of one copy."""
        return self._name("handed", number)
