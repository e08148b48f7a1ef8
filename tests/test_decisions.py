"""Tests of docs/decisions: a number is one page's, and the page says it."""

from __future__ import annotations

from pathlib import Path

PAGES = sorted((Path(__file__).parent.parent / "docs" / "decisions").glob("*.md"))


def test_decisions_are_numbered_without_a_gap_and_without_two_of_one_number() -> None:
    numbers = [int(page.name.partition("-")[0]) for page in PAGES]
    assert numbers == list(range(1, len(PAGES) + 1))


def test_a_decision_begins_with_its_number() -> None:
    for page in PAGES:
        number = page.name.partition("-")[0]
        assert page.read_text(encoding="utf-8").startswith(f"# {number}: "), page.name
