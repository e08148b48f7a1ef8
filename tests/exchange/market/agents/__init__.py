"""Tests of the house agents."""
