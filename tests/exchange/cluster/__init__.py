"""Tests of the cluster, on a real Redis."""
