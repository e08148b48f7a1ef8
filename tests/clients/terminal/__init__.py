"""Tests of the terminal desk."""
