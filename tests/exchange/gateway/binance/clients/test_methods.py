"""Tests that the page of clients' methods is current, and that its tables can be believed."""

from __future__ import annotations

import pytest

from tests.exchange.gateway.binance.clients.methods import (
    PAGE,
    SECTIONS,
    Section,
    Verdict,
    page,
    part,
    unproved,
)

MODULE = "python -m tests.exchange.gateway.binance.clients.methods"


def test_the_page_is_written_from_the_present_tables() -> None:
    assert PAGE.read_text("utf-8") == page(), f"run `{MODULE}`"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_each_verdict_of_a_table_has_its_test_or_its_reason(section: Section) -> None:
    table = section.methods()
    assert table
    assert unproved(table) == []


def test_a_row_tells_the_method_the_verdict_and_the_note() -> None:
    table = {"b": Verdict("works", "test_x::test_y"), "a": Verdict("not served", "-5000")}
    lines = part("A client", table).splitlines()
    assert "2 methods. Works: 1, not served: 1." in lines
    assert lines[-2:] == ["| `a` | not served | -5000 |", "| `b` | works | `test_x::test_y` |"]


def test_a_test_that_is_not_there_or_names_no_such_method_is_noticed() -> None:
    here = "test_methods::test_a_test_that_is_not_there_or_names_no_such_method_is_noticed"
    assert unproved({"unproved": Verdict("works", here)}) == []
    (gone,) = unproved({"unproved": Verdict("works", "test_methods::test_" + "nothing")})
    assert "there is no" in gone
    (unnamed,) = unproved({"fetch_" + "nothing": Verdict("works", here)})
    assert "does not name it" in unnamed
    (other,) = unproved({"unproved": Verdict("client")})
    assert "nothing tells why" in other
