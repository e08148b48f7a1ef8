"""Reason trees: what was decided, from which numbers, by which rule (DESIGN section 4)."""
