"""Hosts that are ours, and pages that are not."""

from __future__ import annotations

import pytest

from exchange.gateway.calls import ApiError
from exchange.gateway.sources import host_name, hosts_of, is_loopback, refuse_stranger

LOOPBACK = hosts_of("127.0.0.1")


def code(
    headers: dict[str, str], bound: str = "127.0.0.1", allowed: tuple[str, ...] = (), **more: bool
) -> str:
    try:
        refuse_stranger(headers, hosts_of(bound, allowed), bound=bound, **more)
    except ApiError as error:
        return error.code if error.http_status == 403 else f"HTTP {error.http_status}"
    return ""


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("localhost:8080", "localhost"),
        ("LOCALHOST", "localhost"),
        ("[::1]:8080", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
    ],
)
def test_the_name_of_an_authority(authority: str, name: str) -> None:
    assert host_name(authority) == name


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_known_by_every_name(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com"])
def test_what_others_reach_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:1", "[::1]:8080", "localhost"])
def test_a_program_that_names_us_passes(host: str) -> None:
    assert code({"Host": host}) == ""


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.7", ""])
def test_another_host_is_refused_on_loopback(host: str) -> None:
    assert code({"Host": host}) == "UNKNOWN_HOST"


def test_bound_to_the_world_an_address_is_ours_and_a_name_is_not() -> None:
    # A name can be bound to our address by anybody; an address cannot.
    assert code({"Host": "192.168.1.7:8080"}, bound="0.0.0.0") == ""
    assert code({"Host": "desk.example"}, bound="0.0.0.0") == "UNKNOWN_HOST"
    assert code({"Host": "Desk.example"}, bound="0.0.0.0", allowed=("desk.example",)) == ""


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "http://localhost:8080"}, ""),
        ({"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}, ""),
        ({"Sec-Fetch-Site": "none"}, ""),
        ({"Origin": "http://localhost:3000"}, "CROSS_SITE"),
        ({"Origin": "http://evil.example"}, "CROSS_SITE"),
        ({"Origin": "null"}, "CROSS_SITE"),
        ({"Origin": "file://localhost:8080"}, "CROSS_SITE"),
        ({"Sec-Fetch-Site": "cross-site"}, "CROSS_SITE"),
        ({"Sec-Fetch-Site": "same-site"}, "CROSS_SITE"),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "CROSS_SITE"),
    ],
)
def test_only_our_own_pages_may_ask(headers: dict[str, str], expected: str) -> None:
    assert code({"Host": "localhost:8080", **headers}) == expected


def test_another_site_may_link_to_the_page_and_not_fetch_it() -> None:
    from_elsewhere = {"Host": "localhost:8080", "Sec-Fetch-Site": "cross-site"}
    assert code({**from_elsewhere, "Sec-Fetch-Mode": "navigate"}, page=True) == ""
    assert code({**from_elsewhere, "Sec-Fetch-Mode": "no-cors"}, page=True) == "CROSS_SITE"
