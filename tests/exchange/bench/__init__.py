"""Tests of the benchmarks: what they report, never how fast they are."""
