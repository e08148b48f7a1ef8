"""Tests of the native messages."""
