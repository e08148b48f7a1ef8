"""Tests of the socket shells."""
