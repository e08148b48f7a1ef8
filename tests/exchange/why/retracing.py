"""Reckoning reason trees again: a second, plain reader of their formulas, who trusts nothing."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

from exchange.wire.why import WhySay, WhyStep

NUMBER = re.compile(r"\d+(\.\d+)?")
NAME = re.compile(r"[a-z_][a-z0-9_]*")
WORDS = ("ceil", "floor", "half_even", "min", "max", "abs")


def ceil(amount: Fraction, places: Fraction) -> Fraction:
    return Fraction(math.ceil(amount * 10 ** int(places)), 10 ** int(places))


def floor(amount: Fraction, places: Fraction) -> Fraction:
    return Fraction(math.floor(amount * 10 ** int(places)), 10 ** int(places))


def half_even(amount: Fraction, places: Fraction) -> Fraction:
    return Fraction(round(amount * 10 ** int(places)), 10 ** int(places))


def worked_out(text: str) -> Any:
    """What a formula with its numbers put in comes to, in exact fractions."""
    exact = NUMBER.sub(lambda found: f"Fraction('{found.group()}')", text)
    known = {"ceil": ceil, "floor": floor, "half_even": half_even}
    return eval(exact, {**known, "Fraction": Fraction})


def retrace(tree: WhySay) -> int:
    """Reckon every step of a tree and of its children again; how many there were.

    Each step's text must be its formula with the numbers of inputs and earlier steps put in, and
    must come to its value.
    """
    known = {each.name: each.value for each in tree.inputs}
    assert len(known) == len(tree.inputs), tree.inputs
    for step in tree.steps:
        _retrace_step(tree, step, known)
        assert step.name not in known, step.name
        known[step.name] = step.value
    for step in tree.thresholds:
        _retrace_step(tree, step, known)
        assert step.value in ("true", "false"), step
    assert tree.says.endswith("."), tree.says
    assert "{" not in tree.says, tree.says
    count = len(tree.steps) + len(tree.thresholds)
    return count + sum(retrace(child) for child in tree.children)


def _retrace_step(tree: WhySay, step: WhyStep, known: dict[str, str]) -> None:
    def put(found: re.Match[str]) -> str:
        name = found.group()
        if name in WORDS:
            return name
        return f"({known[name]})" if known[name].startswith("-") else known[name]

    assert step.filled == NAME.sub(put, step.formula), step
    value = worked_out(step.filled)
    if isinstance(value, bool):
        assert step.value == ("true" if value else "false"), (tree.kind, tree.id, step)
    else:
        assert value == Fraction(step.value), (tree.kind, tree.id, step)


def numbers_of(tree: WhySay) -> dict[str, str]:
    """Inputs and steps of a tree by their names."""
    given = {each.name: each.value for each in tree.inputs}
    return given | {each.name: each.value for each in tree.steps}


def held(tree: WhySay) -> bool:
    """Whether every comparison of a tree decided as it was decided."""
    return all(step.value == "true" for step in tree.thresholds)


def alike(tree: WhySay) -> dict[str, Any]:
    """A tree but for ids and times: what a preview shares with what happens after."""
    return {
        "kind": tree.kind,
        "rule": tree.rule,
        "says": tree.says,
        "inputs": tree.inputs,
        "steps": tree.steps,
        "thresholds": tree.thresholds,
        "children": [alike(child) for child in tree.children],
    }
