"""Tests that the copied vectors are the design's own, where its pages lie beside the project."""

from fractions import Fraction

import pytest

from tests.vectors import HERE, agrees, document, exact, vectors

PAGES = HERE.parent.parent.parent / "shared" / "vectors.json"


def test_the_copy_is_word_for_word_the_design() -> None:
    if not PAGES.exists():
        pytest.skip("the design's pages do not lie beside the project")
    assert (HERE / "vectors.json").read_bytes() == PAGES.read_bytes()


def test_all_117_vectors_are_there() -> None:
    assert len(document()["vectors"]) == 117


def test_vectors_are_picked_by_kind_by_default_and_by_id() -> None:
    interest = ["interest_schedule"]
    assert [each.id for each in vectors(interest, on="engine")] == ["V16"]
    others = vectors(interest, on="engine", default=False)
    assert [each.id for each in others] == ["V17a", "V17b"]
    assert [each.id for each in vectors(["pnl"], on="function", ids=["V34"])] == ["V34"]
    with pytest.raises(AssertionError, match="no vector of the kinds"):
        vectors(["pnl"], on="function", ids=["V99"])


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
