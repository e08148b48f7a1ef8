"""Tests of the tables: every figure is in one, and each says what the arithmetic does."""

import pytest

from exchange.capacity.figures import ASSUMED, MEASURED
from exchange.capacity.tables import CLASSROOMS, GATEWAYS, UTILISATIONS, classroom, tables
from tests.exchange.capacity.worlds import figures


def cells(lines: list[str]) -> list[list[str]]:
    """The rows of a table, without its head."""
    rows = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


@pytest.fixture(scope="module")
def made() -> dict[str, list[str]]:
    return tables(figures())


def test_every_table_has_as_many_cells_in_each_row(made: dict[str, list[str]]) -> None:
    for name, lines in made.items():
        widths = {line.count("|") for line in lines if line.startswith("|")}
        assert len(widths) == 1, name


def test_every_figure_is_told_with_its_unit_and_source(made: dict[str, list[str]]) -> None:
    told = "\n".join([*made["measured"], *made["assumed"]])
    for name, unit in (MEASURED | ASSUMED).items():
        assert f"| `{name}`: what {name} says |" in told
        assert unit in told
    assert "Measured on paper." in told


def test_the_ceilings_are_those_of_the_arithmetic(made: dict[str, list[str]]) -> None:
    assert [row[1:] for row in cells(made["ceilings"])] == [
        ["100.0", "5,000", "10,000"],
        ["50.0", "10,000", "20,000"],
        ["50.0", "10,000", "20,000"],
    ]


def test_waits_are_simulated_at_each_utilisation(made: dict[str, list[str]]) -> None:
    rows = cells(made["waits"])
    assert [row[0] for row in rows] == [f"{share:.0%}" for share in UTILISATIONS]
    # A tenth of 20,000; and a core behind Redis answers no sooner than its two hops of 0.5 ms.
    assert (rows[0][1], rows[0][6]) == ("2,000", "2,000")
    for row in rows:
        assert float(row[7]) == pytest.approx(float(row[2]) + 1, abs=0.011)
        assert float(row[2]) < float(row[3]) < float(row[4])


def test_gateways_carry_what_the_arithmetic_says(made: dict[str, list[str]]) -> None:
    follow, *rows = cells(made["gateways"])
    # At a tenth of 10,000: 0.05 of each to follow.
    assert follow[1] == "5.0% of a core"
    assert [row[0] for row in rows] == [str(count) for count in GATEWAYS]
    assert rows[0][1] == "44,000"
    assert rows[1][1] == "89,000"
    # At nine tenths, 9,000 orders need 0.09, and 0.05 of each gateway is left: two carry 1,000
    # messages besides.
    assert [row[3] for row in rows[:2]] == ["not even these", "1,000"]


def test_classrooms_grow_evenly(made: dict[str, list[str]]) -> None:
    rows = cells(made["classrooms"])
    assert [row[0] for row in rows[::2]] == [f"{count:,}" for count in CLASSROOMS]
    # One student, one bot that asks once and two connections that hear once a second:
    # 40 + 10 us, and 20 us of messages.
    demand = classroom(figures(), with_market=False)
    assert (demand.orders_per_s, demand.connections, demand.deliveries_per_s) == (1, 2, 2)
    assert rows[0][2] == "0.0% of a core"
    # With a market 0.1 and 0.00007: a thousand are 100.07 cores at a half, 201.
    assert rows[-1][3] == "201"


def test_others_are_measured_in_venues_of_ours() -> None:
    figs = figures().but({"public_peak_orders": 95_000.0, "public_account_orders": 10.0})
    lines = tables(figs)["public"]
    (peak,) = (row for row in cells(lines) if row[0].startswith("the busiest second"))
    # 95,000 of 10,000 each are ten venues; 50 us each to sequence, 50 to follow, 10 at the edge, 4
    # in Redis. Each at 9,500 has 0.525 of its time for appends: 525 groups, so 2.6 cores, 2.1 and
    # 0.5 besides.
    assert peak[1:7] == ["95,000", "10", "7.4", "6.8", "0.9", "0.9"]
    assert "10,000 orders a second are 1,000 accounts" in lines[-1]
