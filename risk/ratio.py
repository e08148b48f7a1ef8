"""An exact ratio of two integers, to rank by: it is compared crosswise and never divided."""

from __future__ import annotations

from functools import total_ordering

from risk.money import E12


@total_ordering
class Ratio:
    """numerator / denominator, the denominator above zero; equal ratios are equal."""

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: int, denominator: int) -> None:
        assert denominator > 0, (numerator, denominator)
        self.numerator = numerator
        self.denominator = denominator

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ratio):
            return NotImplemented
        return self.numerator * other.denominator == other.numerator * self.denominator

    def __lt__(self, other: Ratio) -> bool:
        return self.numerator * other.denominator < other.numerator * self.denominator

    __hash__ = None  # type: ignore[assignment]  # It is sorted by, never looked up by.

    def __neg__(self) -> Ratio:
        return Ratio(-self.numerator, self.denominator)

    @property
    def floor_e12(self) -> int:
        """Its value in 10^-12, rounded down: to show."""
        return self.numerator * E12 // self.denominator

    def state(self) -> tuple[str, str]:
        """For a snapshot; beyond 64 bits, so as text."""
        return str(self.numerator), str(self.denominator)

    def __repr__(self) -> str:
        return f"<Ratio {self.numerator} / {self.denominator}>"
