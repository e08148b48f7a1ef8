"""Seeded lives of a duel: commands drawn until there are enough, shrunk where one of them fails."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from exchange.commands import AnyCommand
from tests.twin.drawn_commands import Dice
from tests.twin.duel import Duel

COMMANDS_OF_A_LIFE = 500
SHRINKING_TRIES = 300
TIMES = int(os.environ.get("PAPERTAPE_TWIN_TIMES", "1"))  # As many commands again, and again.

TRADE = {"limit": 14, "market": 5, "iceberg": 4, "cancel": 3, "index": 3, "tick": 2}
AMEND = {"amend": 8, "cancel_replace": 3, "cancel_all": 1, "countdown": 1, "guard": 2}
TRIGGER = {"stop": 8, "trail": 6, "guard": 4}
LIST = {"listed": 8, "bracket": 6}
STATE = {"state": 3}
COLLECT = {"collect": 40}


def live(seed: int, subjects: Mapping[str, int], commands: int = COMMANDS_OF_A_LIFE) -> Duel:
    """A life; where engine and twin part, the failure tells the fewest commands that part them."""
    duel = Duel()
    dice = Dice(Random(seed), duel, dict(subjects))
    try:
        for _ in range(commands):
            duel.do(dice.draw(), dice.wait_ms())
        duel.compare_whole()
    except Exception as failure:
        shortest = "\n".join(map(repr, shrunk(duel.commands)))
        failure.add_note(f"life {seed} of {dict(subjects)}; these commands do it too:\n{shortest}")
        raise
    return duel


def lives(first: int, commands: int, subjects: Mapping[str, int]) -> Counter[str]:
    """What was seen in as many lives as make so many commands."""
    seen: Counter[str] = Counter()
    for seed in range(first, first + -(-commands * TIMES // COMMANDS_OF_A_LIFE)):
        duel = live(seed, subjects)
        seen += duel.seen
        seen["commands"] += len(duel.commands)
    return seen


def fails(commands: Sequence[AnyCommand]) -> bool:
    """Whether engine and twin part over these commands, each at its own moment."""
    duel = Duel()
    try:
        for command in commands:
            duel.do(command, command.time_ms - duel.now_ms)
        duel.compare_whole()
    except Exception:
        return True
    return False


def shrunk(commands: Sequence[AnyCommand]) -> Sequence[AnyCommand]:
    """Fewer commands that fail too: parts are left out, first large ones, for so many tries."""
    part, tries = len(commands) // 2, 0
    while part:
        place = 0
        while place < len(commands) and tries < SHRINKING_TRIES:
            tries += 1
            fewer = [*commands[:place], *commands[place + part :]]
            if fails(fewer):
                commands = fewer
            else:
                place += part
        part //= 2
    return commands


def at_least(seen: Counter[str], expected: Mapping[str, int]) -> None:
    """Assert that everything was seen so often."""
    missed = {what: seen[what] for what, count in expected.items() if seen[what] < count}
    assert not missed, missed
