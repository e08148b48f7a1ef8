"""Tests of the running exchange."""
