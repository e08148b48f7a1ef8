"""Tests of docs/mechanics: every worked example is run by the engine, and every number counts."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from exchange.config import Config
from exchange.gateway.native.routes import ROUTES
from tests.mechanics.facts import HAPPENED, NUMBERS
from tests.mechanics.play import play
from tests.mechanics.reading import PAGES, ROOT, Example, Line, Value, agrees, examples
from tests.mechanics.reckoning import RECKONED
from tests.mechanics.scene import EFFECTS, VERBS

ALL = [example for page in PAGES for example in examples(page)]
FENCES = {"mechanics", "toml", "console", "json", ""}


def named(example: Example) -> str:
    return example.name


def other(told: str) -> str:
    """The same with another last digit, or another last word."""
    before, blank, last = told.rpartition(" ")
    digits = re.search(r"\d(?=\D*$)", last)
    if digits is None:
        return told + "_NOT"
    digit = "1" if digits[0] != "1" else "2"
    return before + blank + last[: digits.start()] + digit + last[digits.end() :]


def agrees_and_only_so(value: Value, told: str) -> bool:
    """Whether a value is what is told, and is not what is told with another digit."""
    assert not agrees(value, other(told)), f"{told} and {other(told)} are alike"
    return agrees(value, told)


@pytest.mark.parametrize("example", ALL, ids=named)
def test_every_example_is_what_the_engine_does(example: Example) -> None:
    assert any(line.expects or line.words[0] == "reckon" for line in example.lines)
    play(example.lines, agrees_and_only_so)


@pytest.mark.parametrize("example", ALL[:3], ids=named)
def test_an_example_with_another_number_fails_and_names_its_line(example: Example) -> None:
    for place, line in enumerate(example.lines):
        if line.expects:
            words = other(" ".join(line.words)).split(" ")
            lines = [*example.lines[:place], line._replace(words=words)]
            with pytest.raises(AssertionError, match=f"line {line.number}:"):
                play(lines)


def test_every_fact_and_every_sum_is_used() -> None:
    told = [line.words for example in ALL for line in example.lines if line.expects]
    assert {words[0] for words in told} == NUMBERS.keys() | HAPPENED.keys()
    sums = [each.words[1] for example in ALL for each in example.lines if each.words[0] == "reckon"]
    assert set(sums) == set(RECKONED)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_examples_and_no_block_that_nobody_runs(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    opened = re.findall(r"^```(.*)$", text, re.MULTILINE)
    assert set(opened) <= FENCES
    assert len(opened) % 2 == 0
    assert len(examples(page)) == opened.count("mechanics")
    assert "mechanics" in opened


def test_the_first_page_explains_every_word() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    for word in (
        {"prices", "price", "wait", "reckon"}
        | VERBS.keys()
        | NUMBERS.keys()
        | HAPPENED.keys()
        | EFFECTS.keys()
    ):
        assert re.search(rf"`[^`]*\b{word}\b[^`]*`", text), word


@pytest.mark.parametrize(
    ("value", "told", "so"),
    [
        (Fraction(1, 3), "0.33..", True),
        (Fraction(-1, 3), "-0.333..", True),
        (Fraction(1, 3), "0.34..", False),
        (Fraction(1, 3), "0.33", False),
        (Fraction(1, 4), "0.25..", False),  # It is not longer than that.
        (Fraction(1, 800), "0.12..%", False),
        (Fraction(1, 800), "0.125%", True),
        (None, "none", True),
        (Fraction(0), "none", False),
        ("closed", "closed", True),
        (Fraction(1), "one", False),
    ],
)
def test_a_number_is_told_in_full_or_by_its_first_digits(value: Value, told: str, so: bool) -> None:
    assert agrees(value, told) is so


def test_steps_of_a_liquidation_are_told_all_or_none() -> None:
    (example,) = [
        each for each in ALL if each.lines[0].words == ["given", "margin_insurance", "100"]
    ]
    lines = [line for line in example.lines if line.words[:2] != ["step", "repaid"]]
    with pytest.raises(AssertionError, match="steps that nobody told"):
        play(lines)


def test_what_is_refused_must_be_said_to_be() -> None:
    words = (["deposit", "spot", "USDT", "1"], ["transfer", "spot", "margin", "USDT", "2"])
    lines = [Line(1, "you", False, each) for each in words]
    with pytest.raises(AssertionError, match=r"line 1: refused, .*INSUFFICIENT_BALANCE"):
        play(lines)
    play([*lines, Line(2, "you", True, ["refused", "INSUFFICIENT_BALANCE"])])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_names_exists(page: Path) -> None:
    """Links lead somewhere, and requests are those of the native door."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / target).resolve().exists(), target
    assert ROOT in page.parents
    ops = {route.op for route in ROUTES}
    for name in re.findall(r"`([a-z_]+\.[a-z_]+)[^`]*`", text):
        section, _, key = name.partition(".")
        is_key = hasattr(getattr(Config(), section, None), key)
        assert name in ops or is_key, name
    addresses = {route.address for route in ROUTES}
    for address in re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /v1/[^`]*)`", text):
        assert address in addresses, address
