"""Tests that every vector is run by a test, and that the page says by which and on what."""

from __future__ import annotations

import pytest

from tests.vectors import document
from tests.vectors.coverage import PAGE, Run, page, runs, table


@pytest.fixture(scope="module")
def ran() -> list[Run]:
    return runs()


def test_every_vector_is_run(ran: list[Run]) -> None:
    assert document()["vectors"].keys() - {run.id for run in ran} == set()


def test_only_what_has_no_switch_is_left_to_another_venues_convention(ran: list[Run]) -> None:
    elsewhere = {run.id for run in ran if run.on == "convention"}
    assert elsewhere == {"V45a", "V49", "V57a", "V67", "V68a", "V68b", "V68c"}
    own = {run.id for run in ran if run.on != "convention"}
    assert not elsewhere & own
    assert not any(document()["vectors"][id_]["default"] for id_ in elsewhere)


def test_switches_are_run_on_the_engine(ran: list[Run]) -> None:
    engine = {run.id for run in ran if run.on == "engine"}
    assert {"V17a", "V17b", "V27b", "V60a", "V60b", "V72", "V82a"} <= engine


def test_the_page_has_the_present_table() -> None:
    text = PAGE.read_text("utf-8")
    assert page(text) == text, "run `python -m tests.vectors.coverage`"


def test_a_vector_that_nobody_runs_would_have_an_empty_row() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == len(document()["vectors"])
    assert all(row.endswith("` |") for row in rows)
