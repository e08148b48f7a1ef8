"""Building one reason tree: inputs by name, steps that are reckoned from them, and the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from exchange.why.formula import decimal_text, filled, reckoned
from exchange.wire.why import WhyInput, WhySay, WhyStep
from matching.instrument import amount_text


class Tree:
    """A reason tree in the making; `say` ends it.

    Whatever the core recorded is given as it recorded it (`told`); a formula that does not come
    to it would be seen by whoever reckons again. The rest is reckoned here, exactly.
    """

    def __init__(self, kind: str, name: str, *, seq: int, time_ms: int, rule: str) -> None:
        self._head = (kind, name, seq, time_ms, rule)
        self._inputs: list[WhyInput] = []
        self._steps: list[WhyStep] = []
        self._thresholds: list[WhyStep] = []
        self._values: dict[str, Fraction] = {}
        self._texts: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __getitem__(self, name: str) -> str:
        """The decimal text of a number."""
        return self._texts[name]

    def reckon(self, formula: str) -> Fraction:
        """What a formula comes to with the numbers so far; it leaves no trace in the tree."""
        return Fraction(reckoned(formula, self._values))

    def note(self, name: str, text: str, source: str) -> None:
        """A word that is no number: a side, a wallet, a state."""
        self._inputs.append(WhyInput(name, text, "", source))

    def number(self, name: str, amount: int, scale: int, unit: str, source: str) -> None:
        """A number of 10^-scale that was there when it was decided."""
        self._keep(name, Fraction(amount, 10**scale), amount_text(amount, scale))
        self._inputs.append(WhyInput(name, self._texts[name], unit, source))

    def step(
        self, name: str, says: str, formula: str, unit: str, told: tuple[int, int] | None = None
    ) -> None:
        """Reckon a number; `told` is what the core recorded of it, and its scale."""
        if told is None:
            value = reckoned(formula, self._values)
            text = decimal_text(value)
        else:
            value, text = Fraction(told[0], 10 ** told[1]), amount_text(*told)
        written = filled(formula, self._texts)
        self._steps.append(WhyStep(name, says, formula, written, text, unit))
        self._keep(name, Fraction(value), text)

    def threshold(self, name: str, says: str, formula: str) -> bool:
        """Compare; whether it holds."""
        held = reckoned(formula, self._values)
        assert isinstance(held, bool), formula
        written = filled(formula, self._texts)
        self._thresholds.append(WhyStep(name, says, formula, written, decimal_text(held), ""))
        return held

    def _keep(self, name: str, value: Fraction, text: str) -> None:
        assert name not in self._values, name
        self._values[name] = value
        self._texts[name] = text

    def say(self, says: str, children: Sequence[WhySay] = ()) -> WhySay:
        """The tree, with its sentence in plain words."""
        return WhySay(
            *self._head,
            says,
            self._inputs,
            self._steps,
            self._thresholds,
            list(children),
        )
