"""Fixtures of the gateway's tests."""

import pytest

from tests.exchange.gateway import rig


@pytest.fixture(params=rig.PORTS)
def both_ports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs twice: its WebSockets (`Rig.sockets`) on the main port, and on the fast one."""
    monkeypatch.setattr(rig, "SOCKETS_AT", request.param)
