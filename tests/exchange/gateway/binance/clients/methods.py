"""What each method of each client does here: works, is beyond the client itself, is not served.

`python -m tests.exchange.gateway.binance.clients.methods` writes docs/binance-clients.md anew.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, NamedTuple

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE.parents[4] / "docs" / "binance-clients.md"


class Verdict(NamedTuple):
    """What became of a method when it was tried.

    The note of `works` is the test that shows it, `test_module::test_name`. The note of `client`
    is why the client cannot, that of `not served` what is answered.
    """

    what: Literal["works", "client", "not served"]
    note: str = ""


Table = dict[str, Verdict]


class Section(NamedTuple):
    """A client's part of the page: its title, and where its table is."""

    title: str
    module: str
    table: str = "METHODS"

    def methods(self) -> Table:
        """The table, from a module beside this one, which itself imports from here."""
        table: Table = getattr(import_module(f"{__package__}.{self.module}"), self.table)
        return table


SECTIONS: Final = (
    Section("ccxt and ccxt.pro, `binance`: spot, margin, money", "methods_ccxt_spot"),
    Section("ccxt and ccxt.pro, `binanceusdm`", "methods_ccxt_futures", "LINEAR"),
    Section("ccxt and ccxt.pro, `binancecoinm`", "methods_ccxt_futures", "INVERSE"),
    Section("python-binance", "methods_python_binance"),
    Section("The official SDK, binance-sdk-spot", "methods_sdk"),
)
HEAD: Final = """\
# What clients written for Binance can do here

Written by `python -m tests.exchange.gateway.binance.clients.methods` from the tables beside the
tests that drive these clients over real sockets. Each method was tried: it works, and a test
shows it; or the client itself cannot do it, whatever answers; or it is not served here, and what
is answered is told. [Connect](connect.md) tells how to point a client here.
"""
WORDS: Final = {"works": "works", "client": "not by the client", "not served": "not served"}


def part(title: str, table: Table) -> str:
    """One client's section of the page: how many methods there are, and a row for each."""
    counts = {what: sum(each.what == what for each in table.values()) for what in WORDS}
    told = ", ".join(f"{WORDS[what]}: {count}" for what, count in counts.items() if count)
    rows = [
        f"## {title}",
        "",
        f"{len(table)} methods. {told.capitalize()}.",
        "",
        "| method | | |",
        "|---|---|---|",
    ]
    for name, verdict in sorted(table.items(), key=lambda item: item[0].lower()):
        note = f"`{verdict.note}`" if verdict.what == "works" else verdict.note
        rows.append(f"| `{name}` | {WORDS[verdict.what]} | {note} |")
    return "\n".join(rows) + "\n"


def page() -> str:
    """The whole page as it should be."""
    return "\n".join([HEAD, *(part(each.title, each.methods()) for each in SECTIONS)])


def unproved(table: Table) -> list[str]:
    """What is wrong with a table's notes: `works` without a test whose module names the method,
    or something else without a word why."""
    found = []
    for name, verdict in table.items():
        if verdict.what != "works":
            if not verdict.note:
                found.append(f"{name}: nothing tells why")
            continue
        module, _, test = verdict.note.partition("::")
        path = HERE / f"{module}.py"
        source = path.read_text("utf-8") if path.exists() else ""
        if not re.search(rf"^(async )?def {re.escape(test)}\(", source, re.MULTILINE):
            found.append(f"{name}: there is no {verdict.note}")
        if not re.search(rf"\b{re.escape(name)}\b", source):
            found.append(f"{name}: {module} does not name it")
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
