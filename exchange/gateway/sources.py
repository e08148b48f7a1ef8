"""Where a request comes from: the host it names and the page that sent it; pure.

A browser can be made to send requests by any page it shows. So a request is refused when it
names a host that is not ours (a name rebound to this machine), or comes from a page of another
origin. Programs send neither `Origin` nor `Sec-Fetch-Site` and pass.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Final

from exchange.gateway.calls import ApiError

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SAME_SITE: Final = frozenset({"same-origin", "none"})


def hosts_of(bound: str, allowed: Collection[str] = ()) -> frozenset[str]:
    """The names a request may call us by: loopback, what we are bound to, what was allowed."""
    return LOOPBACK_NAMES | {name.lower() for name in (bound, *allowed) if name}


def is_loopback(host: str) -> bool:
    """Is an address or name one that only this machine reaches?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(authority: str) -> str:
    """The name of an authority such as `[::1]:8080`, lower case, without brackets and port."""
    name = authority.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def refuse_stranger(
    headers: Mapping[str, str], hosts: Collection[str], *, bound: str, page: bool = False
) -> None:
    """An ApiError unless the request names us and comes from our own page, or from a program.

    `page` is a request for a page itself: another site may link to it, which changes nothing.
    """
    authority = headers.get("Host", "")
    if not _is_ours(host_name(authority), hosts, bound):
        raise ApiError(
            "UNKNOWN_HOST",
            "this exchange does not answer to that host name",
            {"host": authority[:100]},
            403,
        )
    if page and headers.get("Sec-Fetch-Mode") == "navigate":
        return
    origin = headers.get("Origin")
    if origin is not None and not _same_origin(origin, authority):
        raise _cross_site(origin)
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site not in SAME_SITE:
        raise _cross_site(origin or site)


def _is_ours(name: str, hosts: Collection[str], bound: str) -> bool:
    if name in hosts:
        return True
    if is_loopback(bound):
        return False
    try:
        # A rebound name is a name: whoever writes an address means this machine.
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_origin(origin: str, authority: str) -> bool:
    scheme, found, rest = origin.lower().partition("://")
    return bool(found) and scheme in {"http", "https"} and rest == authority.lower()


def _cross_site(origin: str) -> ApiError:
    return ApiError(
        "CROSS_SITE",
        "requests from pages of other sites are refused",
        {"origin": origin[:100]},
        403,
    )
