"""What of Binance's wire is served, from the table of routes.

`python -m tests.binance_table` writes the last part of docs/connect.md anew.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

from exchange.gateway.binance.routes import ROUTES

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "connect.md"
BEGIN: Final = "<!-- Written from here on by `python -m tests.binance_table`. -->\n"
SECURITY: Final = {
    "N": "",
    "K": "key",
    "S": "key",
    "U": "signed",
    "T": "signed, trade",
    "M": "signed, transfer",
}


def written() -> str:
    """The page's last part: a row for each address, with its verbs and its WebSocket method."""
    rows: dict[str, list[str]] = defaultdict(list)
    methods: dict[str, set[str]] = defaultdict(set)
    needs: dict[str, set[str]] = defaultdict(set)
    for route in ROUTES:
        rows[route.path].append(route.verb)
        needs[route.path].add(SECURITY[route.security])
        if route.method:
            methods[route.path].add(f"`{route.method}`")
    lines = ["\n| address | | needs | WebSocket API |", "|---|---|---|---|"]
    for path in sorted(rows):
        verbs, need = ", ".join(sorted(rows[path])), "; ".join(sorted(needs[path] - {""}))
        lines.append(f"| `{path}` | {verbs} | {need} | {', '.join(sorted(methods[path]))} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page as it should be."""
    kept = PAGE.read_text("utf-8").partition(BEGIN)[0]
    return kept + BEGIN + written()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
