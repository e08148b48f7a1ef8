"""Every bound of the core, in one place, and how the bounds hang together."""

from typing import Final

# Money and identity.
SCALE: Final = 8  # Decimal places of every asset: one minor unit is 10^-8 of it.
MINOR_PER_UNIT: Final = 10**SCALE
ID_MAX: Final = 2**53 - 1  # Order and trade ids survive a reader that keeps numbers as doubles.
NUMBER_CHARS_MAX: Final = 40  # Decimal text longer than this is refused unread.
SYMBOL_CHARS_MAX: Final = 32
CLIENT_ID_CHARS_MAX: Final = 36
DUPLICATE_IDS_KEPT_MAX: Final = 1_000  # Client ids remembered per account; older ids count as new.

# Prices and quantities.
C_INTEGER_BOUND: Final = 2**62  # Ticks x lots stays below it, so compiled code may use C integers.
PRICE_TICKS_MAX: Final = 1_000_000_000
LOTS_MAX: Final = 4_000_000_000
UNITS_MAX: Final = PRICE_TICKS_MAX * LOTS_MAX  # Ticks x lots of the largest order there can be.
MULTIPLIER_ONE_E4: Final = 10_000  # Price bands are multipliers in units of 10^-4.
MULTIPLIER_MAX_E4: Final = 1_000 * MULTIPLIER_ONE_E4

# Work of one command.
FILLS_PER_COMMAND_MAX: Final = 1_000  # A taker that would meet more makers expires its remainder.
WORK_PER_COMMAND_MAX: Final = 256  # Accounts, expiries or triggers one slice of work may touch.
BATCH_ORDERS_MAX: Final = 50  # Placed, amended or cancelled by one request.

# What an account may keep open.
ORDERS_PER_ACCOUNT_SYMBOL_MAX: Final = 200
ALGO_ORDERS_PER_ACCOUNT_SYMBOL_MAX: Final = 20
ICEBERG_PARTS_MAX: Final = 10
ORDER_LISTS_PER_ACCOUNT_SYMBOL_MAX: Final = 20
TRAILING_BPS_MIN: Final = 10
TRAILING_BPS_MAX: Final = 2_000

# What a reader may ask of a book.
DEPTH_LEVELS_MAX: Final = 5_000

assert UNITS_MAX < C_INTEGER_BOUND  # No product of one order's price and quantity can overflow.
assert LOTS_MAX < ID_MAX  # A quantity in lots survives wherever an id does.
assert ORDERS_PER_ACCOUNT_SYMBOL_MAX < FILLS_PER_COMMAND_MAX
# One taker can always step past every resting order of its own account: self-trade prevention
# alone never exhausts a command.
assert BATCH_ORDERS_MAX <= WORK_PER_COMMAND_MAX  # A batch is one slice of work.
assert ALGO_ORDERS_PER_ACCOUNT_SYMBOL_MAX <= ORDERS_PER_ACCOUNT_SYMBOL_MAX
assert CLIENT_ID_CHARS_MAX <= NUMBER_CHARS_MAX  # The longest word of an order bounds its parsing.
