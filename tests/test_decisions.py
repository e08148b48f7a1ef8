"""Tests of docs/decisions: a number is one page's, and the page says it."""

from __future__ import annotations

import re
from pathlib import Path

PAGES = sorted((Path(__file__).parent.parent / "docs" / "decisions").glob("*.md"))


def test_decisions_are_numbered_without_a_gap_and_without_two_of_one_number() -> None:
    numbers = [int(page.name.partition("-")[0]) for page in PAGES]
    assert numbers == list(range(1, len(PAGES) + 1))


def test_a_decision_begins_with_its_number() -> None:
    for page in PAGES:
        title = page.read_text(encoding="utf-8").splitlines()[0]
        told = re.match(r"# (\d+)[.:] [A-Z]", title)
        assert told is not None, page.name
        assert int(told[1]) == int(page.name.partition("-")[0]), page.name
