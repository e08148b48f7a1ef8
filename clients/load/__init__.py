"""The open-loop load test: a seeded plan, its driver and its report."""
