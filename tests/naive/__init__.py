"""Naive twins: plainly right answers that the real code must agree with."""
