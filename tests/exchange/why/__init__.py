"""Tests of reason trees."""
