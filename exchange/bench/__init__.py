"""Benchmarks: each is a command that measures one thing and prints one object."""
