"""Tests of the page: tables stand where they belong, and the rest is left alone."""

import pytest

from exchange.capacity.page import with_tables

PAGE = """# A page

<!-- table one: scripts/capacity --write -->
old
<!-- end of one -->
words
<!-- table two: scripts/capacity --write -->
<!-- end of two -->
end
"""
TABLES = {"one": ["| a |", "|---|"], "two": ["new"]}


def test_tables_replace_what_stood_in_their_places() -> None:
    page = with_tables(PAGE, TABLES)
    assert page == PAGE.replace("\nold\n", "\n| a |\n|---|\n").replace(
        "--write -->\n<!-- end of two", "--write -->\nnew\n<!-- end of two"
    )
    assert with_tables(page, TABLES) == page  # And again, to the same.


@pytest.mark.parametrize("tables", [{}, {"one": []}, {**TABLES, "three": []}])
def test_a_table_without_a_place_or_a_place_without_a_table_is_refused(
    tables: dict[str, list[str]],
) -> None:
    with pytest.raises(ValueError, match="has places for"):
        with_tables(PAGE, tables)
