"""Tests of docs/mechanics: every worked example is run by the engine, and every number counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.config import Config
from exchange.gateway.native.routes import ROUTES
from tests.mechanics.facts import HAPPENED, NUMBERS
from tests.mechanics.play import play
from tests.mechanics.reading import PAGES, ROOT, Example, Line, examples
from tests.mechanics.reckoning import RECKONED
from tests.mechanics.scene import EFFECTS, VERBS

ALL = [example for page in PAGES for example in examples(page)]
FENCES = {"mechanics", "toml", "console", "json", ""}


def named(example: Example) -> str:
    return example.name


@pytest.mark.parametrize("example", ALL, ids=named)
def test_every_example_is_what_the_engine_does(example: Example) -> None:
    play(example.lines)


def changed(word: str) -> str | None:
    """A number with another digit, another word; None for a number's place in a sentence."""
    digits = re.search(r"\d(?=\D*$)", word)
    if digits is None:
        return word + "_NOT"
    other = "1" if digits[0] != "1" else "2"
    return word[: digits.start()] + other + word[digits.end() :]


def wrong(example: Example) -> Iterator[list[Line]]:
    """The example up to each thing it says, with that thing changed."""
    for place, line in enumerate(example.lines):
        if line.expects or line.words[0] == "reckon":
            words = [*line.words[:-1], changed(line.words[-1]) or ""]
            yield [*example.lines[:place], line._replace(words=words)]


@pytest.mark.parametrize("example", ALL, ids=named)
def test_an_example_with_another_number_is_not(example: Example) -> None:
    tried = 0
    for lines in wrong(example):
        with pytest.raises(AssertionError, match=f"line {lines[-1].number}:"):
            play(lines)
        tried += 1
    assert tried, "an example that says nothing"


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
    for word in VERBS.keys() | NUMBERS.keys() | HAPPENED.keys() | EFFECTS.keys():
        assert re.search(rf"`[^`]*\b{word}\b[^`]*`", text), word


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
