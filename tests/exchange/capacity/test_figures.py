"""Tests of the file of figures: everything in it is needed, and everything needed is in it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.capacity.figures import BadFigures, read_figures
from tests.exchange.capacity.worlds import figures

SHIPPED = Path(__file__).resolve().parents[3] / "docs" / "scale-figures.json"


def written(folder: Path, change: Any = None) -> Path:
    said = msgspec.to_builtins(figures())
    if change is not None:
        change(said)
    file = folder / "figures.json"
    file.write_bytes(msgspec.json.encode(said))
    return file


def test_figures_are_read_with_what_they_say(tmp_path: Path) -> None:
    read = read_figures(written(tmp_path))
    assert read == figures()
    assert (read["engine_us"], read["busy"]) == (40.0, 0.5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda said: said["measured"].pop("engine_us"), "engine_us"),
        (lambda said: said["assumed"].update(luck=said["assumed"]["busy"]), "luck"),
        (lambda said: said["measured"]["edge_us"].update(value=0), "edge_us must be more"),
        (lambda said: said["assumed"]["busy"].update(value=1), "below 1"),
        (lambda said: said["measured"]["edge_us"].pop("source"), "source"),
        (lambda said: said.update(more=1), "more"),
    ],
)
def test_a_file_that_lacks_or_has_too_much_is_refused(
    tmp_path: Path, change: Any, told: str
) -> None:
    with pytest.raises(BadFigures, match=told):
        read_figures(written(tmp_path, change))


def test_no_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadFigures, match="No such file"):
        read_figures(tmp_path / "figures.json")


def test_what_if_changes_a_figure_and_nothing_else() -> None:
    changed = figures().but({"engine_us": 4.0, "busy": 0.8})
    assert (changed["engine_us"], changed["busy"]) == (4.0, 0.8)
    assert changed.but({"engine_us": 40.0, "busy": 0.5}) == figures()
    with pytest.raises(BadFigures, match="no figure luck"):
        figures().but({"luck": 1.0})
    with pytest.raises(BadFigures, match="more than nothing"):
        figures().but({"engine_us": 0.0})


def test_every_figure_that_ships_says_where_it_is_from() -> None:
    shipped = read_figures(SHIPPED)
    for figure in (*shipped.measured.values(), *shipped.assumed.values()):
        assert figure.says
        assert figure.source
