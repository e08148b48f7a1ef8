"""The page that the tables stand in: each between two marks, replaced as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_PLACE = "<!-- table {name}: scripts/capacity --write -->\n{body}\n<!-- end of {name} -->"
_PLACES = re.compile(
    r"<!-- table (\w+): scripts/capacity --write -->\n(.*?)\n?<!-- end of \1 -->", re.DOTALL
)


def with_tables(page: str, tables: Mapping[str, Sequence[str]]) -> str:
    """The page with these tables in their places; a ValueError unless each has exactly one."""
    places = [match[1] for match in _PLACES.finditer(page)]
    if sorted(places) != sorted(tables):
        raise ValueError(f"the page has places for {places}, there are tables {sorted(tables)}")

    def filled(match: re.Match[str]) -> str:
        return _PLACE.format(name=match[1], body="\n".join(tables[match[1]]))

    return _PLACES.sub(filled, page)
