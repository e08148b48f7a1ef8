"""Tests of the signed half of the futures dialect."""
