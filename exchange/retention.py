"""The last private events of every account, for readers who lost their connection."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from itertools import islice

from exchange.bounds import PRIVATE_EVENTS_KEPT, PRIVATE_EVENTS_TOTAL
from exchange.events import PrivateEvent
from exchange.gateway.native.translate import CHANNEL_OF


class Retention:
    """Rings of private events, each unbroken in its numbering; memory is bounded in total.

    Where there is no room the account that was longest without an event is forgotten.
    """

    def __init__(
        self, kept_max: int = PRIVATE_EVENTS_KEPT, total_max: int = PRIVATE_EVENTS_TOTAL
    ) -> None:
        assert 0 < kept_max <= total_max
        self._kept_max = kept_max
        self._total_max = total_max
        self._rings: OrderedDict[int, deque[PrivateEvent]] = OrderedDict()
        self._total = 0
        self._newest_id = 0  # Whose ring is the last, and that ring.
        self._newest: deque[PrivateEvent] = deque()

    def __len__(self) -> int:
        return self._total

    def keep(self, event: PrivateEvent) -> None:
        """Keep an event. O(1), amortised."""
        account_id = event.account_id
        if account_id == self._newest_id:
            ring = self._newest  # Events of one account come in a row.
        else:
            found = self._rings.get(account_id)
            if found is None:
                ring = self._rings[account_id] = deque()
            else:
                ring = found
                self._rings.move_to_end(account_id)
            self._newest_id, self._newest = account_id, ring
        if ring and ring[-1].n + 1 != event.n:
            # A hole (a replay that was not listened to): what lies before it is of no use.
            self._total -= len(ring)
            ring.clear()
        ring.append(event)
        self._total += 1
        if len(ring) > self._kept_max:
            ring.popleft()
            self._total -= 1
        while self._total > self._total_max:
            _, idle = self._rings.popitem(last=False)
            self._total -= len(idle)

    def after(self, account_id: int, last_seq: int, now_seq: int) -> list[PrivateEvent] | None:
        """The events numbered from `last_seq` + 1 to `now_seq`; None where some are missing."""
        missed = now_seq - last_seq
        if missed == 0:
            return []
        ring = self._rings.get(account_id)
        if missed < 0 or not ring or ring[-1].n != now_seq or ring[0].n > last_seq + 1:
            return None
        return list(islice(ring, len(ring) - missed, None))

    def last_held(self, account_id: int, channels: Container[str], now_seq: int) -> int:
        """The number of the last event of these channels, as far as it is known; else `now_seq`."""
        for event in reversed(self._rings.get(account_id, ())):
            if CHANNEL_OF[type(event)] in channels:
                return event.n
        return now_seq
