"""Tests of the living market."""
