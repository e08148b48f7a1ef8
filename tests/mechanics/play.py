"""An example from its first line to its last: what is done is done, what is said is compared."""

from __future__ import annotations

from collections.abc import Callable

from tests.mechanics.facts import fact, untold
from tests.mechanics.reading import Line, Value, agrees, shown
from tests.mechanics.scene import Scene
from tests.story import refusal


def play(lines: list[Line], agree: Callable[[Value, str], bool] = agrees) -> None:
    """Work an example; AssertionError names the first line that is not so."""
    scene = Scene(lines)
    for place, line in enumerate(lines):
        if line.words[0] == "reckon":
            arrow = line.words.index("=>")
            value = scene.reckoned(line.words[1:arrow])
            expected = " ".join(line.words[arrow + 1 :])
        elif line.expects:
            value, expected = fact(scene, line)
        else:
            assert not untold(scene), f"steps that nobody told: {untold(scene)}"
            scene.act(line)
            refused = refusal(scene.last) if scene.last else None
            said = place + 1 < len(lines) and lines[place + 1].words[0] == "refused"
            assert refused is None or said, f"line {line.number}: refused, {refused}"
            continue
        assert agree(value, expected), f"line {line.number}: {shown(value)}, not {expected}"
    assert not untold(scene), f"steps that nobody told: {untold(scene)}"
