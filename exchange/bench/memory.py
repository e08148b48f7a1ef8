"""What a resting order and an idle account take in memory: built by the thousand, then weighed.

It runs as a process of its own (`python -m exchange.bench.memory`), so that nothing which was
freed before hides what is built: it is what the process holds after, less what it held before.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from typing import Final

from exchange.bench.measure import resident_mb
from exchange.bench.mixed import HOUR_AT_MS, MixedFlow, mixed_venue
from exchange.commands import OpenAccount
from exchange.engine import Engine
from exchange.venue import default_venue

ACCOUNTS: Final = 20_000
ORDERS: Final = 50_000
OWNERS: Final = 500  # Of the orders.


def measured(accounts: int = ACCOUNTS, orders: int = ORDERS) -> dict[str, int]:
    """Bytes per idle account and per resting order, weighed in a fresh process each."""
    return {
        "bytes_per_idle_account": _asked("accounts", accounts),
        "bytes_per_resting_order": _asked("orders", orders),
    }


def _asked(what: str, count: int) -> int:
    words = [sys.executable, "-m", "exchange.bench.memory", what, str(count)]
    told = subprocess.run(words, check=True, capture_output=True, text=True)
    return int(json.loads(told.stdout))


def weigh_accounts(count: int) -> int:
    """Bytes of one idle account, funded as a new one is by default."""
    engine = Engine(default_venue(seed=1, start_ms=HOUR_AT_MS))
    before_mb = _settled_mb()
    for seq in range(1, count + 1):
        engine.apply(OpenAccount(seq=seq, time_ms=HOUR_AT_MS, label=f"account {seq}"))
    return _bytes_each(before_mb, count)


def weigh_orders(count: int) -> int:
    """Bytes of one resting order, on spot and perpetuals, most of them alone at their price."""
    venue = mixed_venue(1, 0, 1)
    engine = Engine(venue)
    flow = MixedFlow(venue, accounts=OWNERS, orders=count, seed=1, commands_per_s=1)
    for command in flow.opening():
        engine.apply(command)
    before_mb = _settled_mb()
    for command in flow.resting():
        engine.apply(command)
    resting = sum(len(book.orders) for book in engine.books.values())
    assert resting > count * 9 // 10, resting
    return _bytes_each(before_mb, resting)


def _settled_mb() -> float:
    gc.collect()
    return resident_mb()


def _bytes_each(before_mb: float, count: int) -> int:
    return round((resident_mb() - before_mb) * 2**20 / count)


def main(words: list[str]) -> int:
    """Print the bytes of one `accounts` or `orders`, of so many."""
    weigh = {"accounts": weigh_accounts, "orders": weigh_orders}[words[0]]
    print(json.dumps(weigh(int(words[1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
