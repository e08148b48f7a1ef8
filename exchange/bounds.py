"""Every bound of the exchange around the core, in one place, and how the bounds hang together."""

from __future__ import annotations

from typing import Final

from matching.limits import DEPTH_LEVELS_MAX, FILLS_PER_COMMAND_MAX, MINOR_PER_UNIT

# What the views keep in memory; older history lives on disk.
CANDLES_KEPT: Final = 1_500  # Closed candles per symbol and interval.
CANDLES_TRIMMED: Final = 256  # How many more may gather before the oldest are cut off.
CANDLES_RESTORED: Final = 1_050  # Laid down at a start, of every symbol and interval.
SECONDS_KEPT: Final = 3_600  # Candles of one second, per pair, for clients that ask for them.
TRADES_KEPT: Final = 1_500  # Public trades per symbol.
FUNDINGS_KEPT: Final = 1_000  # Fixed funding rates per perpetual.
MINUTES_PER_DAY: Final = 1_440

# What is kept for readers who lost their connection.
PRIVATE_EVENTS_KEPT: Final = 10_000  # Private events per account.
PRIVATE_EVENTS_TOTAL: Final = 400_000  # Of all accounts; the longest idle is forgotten first.

# What waits for one reader. Replies and private events are never dropped: past these bounds the
# reader is closed with 4008 and may resume. Market data is conflated.
OUTBOX_EVENTS_MAX: Final = 20_000
OUTBOX_BYTES_MAX: Final = 32 * 1024 * 1024
BOOK_DIFFS_MAX: Final = 64  # Per book channel; a reader further behind gets a fresh snapshot.
TRADES_WAITING_MAX: Final = 256  # Per trade channel; the oldest go, and a gap is told.
NOTICES_WAITING_MAX: Final = 256  # Per channel of funding, liquidations and status.
CANDLES_WAITING_MAX: Final = 64  # Candles of one channel, each in its latest state.
BOOK_LEVELS_PUSHED: Final = 1_000  # Levels a side of a book channel's snapshot.
MERGED_LEVELS_MAX: Final = 20_000  # Of differences merged for one reader; past it he is closed.

# What a connection may send.
REQUEST_BYTES_MAX: Final = 64 * 1024  # A longer message is refused, and the connection lives on.
MESSAGE_BYTES_MAX: Final = 1024 * 1024  # A longer one ends the connection (close code 1009).
SUBSCRIPTIONS_MAX: Final = 400  # Channels of one connection.
REQUESTS_WAITING_MAX: Final = 5_000  # Requests of one connection that are not answered yet.
REQUEST_ID_CHARS_MAX: Final = 128

# How often what moves all the time is told.
PULSE_MS: Final = 250  # Tickers and candles.
GAUGE_MS: Final = 1_000  # Margin levels and unrealised profit, of subscribed accounts.
HEARTBEAT_S: Final = 20  # A connection that answers no ping for that long is closed.

# What the sequencer takes at a time, and what may wait for it.
GROUP_COMMANDS_MAX: Final = 1_024  # Of users, in one frame of the journal.
COMMANDS_WAITING_MAX: Final = 50_000  # More are refused as BUSY.
TICK_GAP_MAX_MS: Final = 60_000  # Exchange time that one Tick spans at most, however fast it runs.

SOURCES_LAG_MAX_MS: Final = 60_000  # Behind a real clock; sources further behind leave it out.

# What a start replays: enough for the rings of private events, and no more than it can bear.
TAIL_COMMANDS_MIN: Final = 20_000
TAIL_COMMANDS_MAX: Final = 3_000_000

SNAPSHOT_EVERY_S: Final = 300  # Wall time between two snapshots, where not many commands came.

# Private events of one fill, for one account, at most: the order, the fill, three postings, and
# where it repays a loan as well the loan and two postings more.
_EVENTS_PER_FILL: Final = 8
# The longest of them as text, by far more than an order with every field takes.
_EVENT_BYTES: Final = 1_000

# One command alone cannot drop a reader, even one who has just resumed.
assert OUTBOX_EVENTS_MAX >= PRIVATE_EVENTS_KEPT + _EVENTS_PER_FILL * FILLS_PER_COMMAND_MAX
assert OUTBOX_BYTES_MAX >= OUTBOX_EVENTS_MAX * _EVENT_BYTES
assert PRIVATE_EVENTS_TOTAL >= PRIVATE_EVENTS_KEPT
assert CANDLES_RESTORED <= CANDLES_KEPT
assert CANDLES_KEPT >= MINUTES_PER_DAY  # A day's ticker is folded from its minutes.
assert BOOK_LEVELS_PUSHED <= DEPTH_LEVELS_MAX
assert REQUEST_BYTES_MAX < MESSAGE_BYTES_MAX < OUTBOX_BYTES_MAX
assert REQUEST_ID_CHARS_MAX < REQUEST_BYTES_MAX
assert REQUESTS_WAITING_MAX < OUTBOX_EVENTS_MAX  # Every waiting request can be answered.
assert PULSE_MS <= GAUGE_MS
assert TAIL_COMMANDS_MIN < TAIL_COMMANDS_MAX
assert GROUP_COMMANDS_MAX < REQUESTS_WAITING_MAX <= COMMANDS_WAITING_MAX
assert MINOR_PER_UNIT == 10**8  # The scale every text of the views is written in.
