"""Tests that the copied vectors are the design's own, where its pages lie beside the project."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from tests.vectors import HERE, agrees, copied, exact

PAGES = HERE.parent.parent.parent / "shared" / "vectors.json"
NAMES = sorted(path.stem for path in HERE.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_word_for_word_that_of_the_design(name: str) -> None:
    if not PAGES.exists():
        pytest.skip("the design's pages do not lie beside the project")
    design = json.loads(Path(PAGES).read_text("utf-8"))
    by_id = {vector["id"]: vector for vector in design["vectors"]}
    copy = copied(name)
    assert copy["vectors"] == {id_: by_id[id_] for id_ in copy["vectors"]}
    assert copy["tables"] == {key: design["tables"][key] for key in copy["tables"]}


def test_a_figure_that_ends_is_compared_exactly() -> None:
    assert agrees(Fraction("1.25"), "1.250")
    assert not agrees(Fraction("1.2500000000000001"), "1.25")


def test_a_figure_that_does_not_end_is_compared_as_it_is_shown() -> None:
    third = {"shown": "0.3333", "places": 4, "rounding": "HALF_UP"}
    assert agrees(Fraction(1, 3), third)
    assert not agrees(Fraction(1, 3) + Fraction(1, 10_000), third)


def test_text_becomes_an_exact_integer() -> None:
    assert exact("-1.5") == -150_000_000
    with pytest.raises(AssertionError):
        exact("0.123456789")
