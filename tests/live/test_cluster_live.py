"""A cluster of real processes on a real Redis keeps its word through every misfortune."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import needed_redis
from tests.live.cluster_rounds import BOTS, rounds_on

ROUNDS = 2


@pytest.fixture(autouse=True)
def _redis() -> None:
    needed_redis()


async def test_what_was_acknowledged_is_there_once_whoever_dies(tmp_path: Path) -> None:
    """Two rounds; `python -m tests.live.cluster_rounds --rounds 20` runs more of them."""
    async with rounds_on(tmp_path) as running:
        for _ in range(ROUNDS):
            await running.round()
    told = running.told
    assert told.rounds == ROUNDS
    assert len(told.digest) == 32
    # Four misfortunes a round with 25 acknowledgements of each bot before and after each.
    assert told.acknowledged >= ROUNDS * 5 * 25 * BOTS
    assert told.events >= told.acknowledged
