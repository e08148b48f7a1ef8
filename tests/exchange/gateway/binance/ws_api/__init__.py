"""Tests of the WebSocket API."""
