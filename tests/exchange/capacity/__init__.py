"""Tests of the arithmetic of size."""
