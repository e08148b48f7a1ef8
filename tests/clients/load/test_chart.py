"""Tests of charts: where a value stands, where a line breaks, what is written on it."""

import re
from xml.etree import ElementTree

from clients.load.chart import BOTTOM, HEIGHT, TOP, Mark, Scale, Series, chart


def test_decades_stand_at_equal_distances() -> None:
    scale = Scale.of([0.2, 30.0])
    assert scale == Scale(-1, 2)
    # From 0.1 to 100, three decades, the least at the bottom.
    assert scale.y(0.1) == HEIGHT - BOTTOM
    assert scale.y(100.0) == TOP
    middle = (HEIGHT - BOTTOM + TOP) / 2
    assert abs(scale.y(10**0.5) - middle) < 1e-9


def test_a_scale_of_one_value_or_none_is_a_decade() -> None:
    assert Scale.of([1.0]) == Scale(0, 1)
    assert Scale.of([]) == Scale(0, 1)
    assert Scale.of([0.0]).y(0.0) == HEIGHT - BOTTOM  # Nothing is below the floor.


def drawn(*series: Series) -> str:
    return chart("a <title>", "ms", "seconds", [Mark(0, "0"), Mark(1, "10 & more")], list(series))


def test_the_picture_is_well_formed_and_names_everything() -> None:
    line = Series("p50 < all", "a", [(0, 1), (1, 2)], ["first", "second"])
    picture = ElementTree.fromstring(drawn(line))
    texts = [element.text for element in picture.iter("text")]
    assert {"ms", "seconds", "0", "10 & more", "p50 < all", "1", "10"} <= set(texts)
    assert picture.get("aria-label") == "a <title>"
    assert [title.text for title in picture.iter("title")] == ["first", "second"]


def test_a_line_breaks_where_a_point_lacks() -> None:
    line = Series("p50", "a", [(0, 1), (0.25, 1), None, (0.75, 1), (1, 1)])
    (path,) = re.findall(r'<path class="line a" d="(M[^"h]*)"', drawn(line))
    assert [len(part.split("L")) for part in path.split("M")[1:]] == [2, 2]


def test_higher_values_stand_higher_and_later_ones_further_right() -> None:
    line = Series("p50", "a", [(0, 1), (1, 9)])
    (path,) = re.findall(r'<path class="line a" d="M([^"h]*)"', drawn(line))
    (x1, y1), (x2, y2) = (map(float, step.split()) for step in path.split("L"))
    assert x1 < x2
    assert y1 > y2  # Upwards is less, in SVG.
