"""Tests of the sample clients."""
