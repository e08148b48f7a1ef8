"""Tests of the user data streams."""
