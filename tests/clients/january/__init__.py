"""Tests of the recorded month and its four traders."""
