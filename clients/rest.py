"""The REST side of the exchange: one request at a time, signed where it has to be."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from clients.errors import PapertapeError
from clients.signing import Signer
from clients.stream import wall_ms
from exchange.wire import Ask, ErrorSay

Said = TypeVar("Said")

TIMEOUT_S: Final = 30.0
SUCCESS: Final = 2  # The first digit of a status that is one.
ADMIN_HEADER: Final = "X-Papertape-Admin"


class _Refusal(msgspec.Struct):
    """The body of an answer that is not 2xx."""

    error: ErrorSay


class Rest:
    """Requests to one exchange; `close()` when done."""

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        admin_key: str = "",
        *,
        others: Sequence[str] = (),
    ) -> None:
        # Doors of one venue; the first is the one that answered last.
        self._roots = deque(root.rstrip("/") for root in (url, *others))
        self._signer = signer
        self._admin_key = admin_key
        self._session: aiohttp.ClientSession | None = None

    async def get(
        self, said: type[Said], path: str, signed: bool = False, **query: str | int | None
    ) -> Said:
        """Ask for something; arguments of the query that are None are left out."""
        asked = {name: value for name, value in query.items() if value is not None}
        suffix = f"?{urlencode(asked)}" if asked else ""
        return await self._call("GET", path + suffix, b"", said, signed=signed)

    async def send(
        self, said: type[Said], method: str, path: str, ask: Ask | None = None, signed: bool = True
    ) -> Said:
        """Ask for a change; `ask` is the body."""
        body = msgspec.json.encode(ask) if ask is not None else b""
        return await self._call(method, path, body, said, signed=signed)

    async def admin(self, said: type[Said], method: str, path: str, ask: Ask) -> Said:
        """Ask what only the administrator may."""
        if not self._admin_key:
            raise PapertapeError("ADMIN_KEY_NEEDED", "give the client an admin_key for this")
        headers = {ADMIN_HEADER: self._admin_key}
        return await self._call(method, path, msgspec.json.encode(ask), said, more=headers)

    async def open_account(self, said: type[Said], ask: Ask) -> Said:
        """Open an account: unsigned on loopback, with the admin key where the venue wants it."""
        more = {ADMIN_HEADER: self._admin_key} if self._admin_key else {}
        body = msgspec.json.encode(ask)
        return await self._call("POST", "/v1/accounts", body, said, more=more)

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(
        self,
        method: str,
        path: str,
        body: bytes,
        said: type[Said],
        signed: bool = False,
        more: Mapping[str, str] | None = None,
    ) -> Said:
        headers = {"Content-Type": "application/json"} if body else {}
        headers.update(more or {})
        if signed:
            if self._signer is None:
                raise PapertapeError("NOT_AUTHENTICATED", "give the client a key and its secret")
            headers.update(self._signer.headers(wall_ms(), method, path, body))
        return _read(*await self._exchange(method, path, body, headers), said)

    async def _exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        for left in reversed(range(len(self._roots))):
            root = self._roots[0]
            # What is signed is what must be sent: no second opinion on its quoting.
            url = URL(root + path, encoded=True)
            try:
                async with self._session.request(
                    method, url, data=body or None, headers=headers, allow_redirects=False
                ) as response:
                    return response.status, await response.read()
            except (TimeoutError, aiohttp.ClientError) as error:
                self._roots.rotate(-1)
                # Only what was never sent may be sent elsewhere.
                if isinstance(error, aiohttp.ClientConnectorError) and left:
                    continue
                why = str(error) or type(error).__name__
                reason = f"nobody answers at {root}: {why}"
                raise PapertapeError("UNREACHABLE", reason, {"url": root}) from error
        raise AssertionError("there is at least one door")


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def _read(status: int, body: bytes, said: type[Said]) -> Said:
    if status // 100 == SUCCESS:
        return msgspec.json.decode(body, type=said)
    try:
        error = msgspec.json.decode(body, type=_Refusal).error
    except msgspec.MsgspecError:
        text = body[:200].decode(errors="replace")
        raise PapertapeError("HTTP_ERROR", f"HTTP {status}: {text}", {"status": status}) from None
    raise PapertapeError.of(error)
