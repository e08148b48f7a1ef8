"""Signed REST for the command line: one request at a time, no event loop."""

from __future__ import annotations

import http.client
import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from exchange.cli.output import Failure, UsageError
from exchange.gateway import auth
from exchange.wire import ErrorSay

Said = TypeVar("Said")

URL_DEFAULT: Final = "http://127.0.0.1:8080"
DATA_DEFAULT: Final = "./papertape-data"
DEMO_FILE: Final = "demo.json"
TIMEOUT_S: Final = 20

URL_VARIABLE: Final = "PAPERTAPE_URL"
KEY_VARIABLE: Final = "PAPERTAPE_KEY"
SECRET_VARIABLE: Final = "PAPERTAPE_SECRET"


class Refused(Failure):
    """The exchange refused a request; `code` is for programs."""

    def __init__(self, error: ErrorSay) -> None:
        details = ", ".join(f"{name} {value}" for name, value in error.details.items())
        super().__init__(f"{error.message} [{error.code}{': ' if details else ''}{details}]")
        self.code = error.code


class Identity(msgspec.Struct, frozen=True):
    """Where an exchange is, and who speaks to it; the content of `demo.json`."""

    url: str
    key: str
    secret: str


class _Refusal(msgspec.Struct):
    error: ErrorSay


def find_identity(
    data: str, url: str | None = None, environment: Mapping[str, str] = os.environ
) -> Identity:
    """The key to speak with: from the environment, else what `papertape demo` left in `data`.

    `url`, or PAPERTAPE_URL, wins over the address in the file.
    """
    url = url or environment.get(URL_VARIABLE)
    key, secret = environment.get(KEY_VARIABLE), environment.get(SECRET_VARIABLE)
    if bool(key) != bool(secret):
        raise UsageError(f"set both {KEY_VARIABLE} and {SECRET_VARIABLE}, or neither")
    if key and secret:
        return Identity(url or URL_DEFAULT, key, secret)
    path = Path(data) / DEMO_FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        raise Failure(
            f"no key to trade with: start `papertape demo` first, name its directory with --data,"
            f" or set {KEY_VARIABLE} and {SECRET_VARIABLE} ({path} is not there)"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise Failure(f"{path} cannot be read: {error}") from None
    return Identity(url or found.url, found.key, found.secret)


def find_place(
    data: str, url: str | None = None, environment: Mapping[str, str] = os.environ
) -> str:
    """Where the exchange is, for a question that needs no key: as `find_identity`, or at home."""
    url = url or environment.get(URL_VARIABLE)
    if url or not (Path(data) / DEMO_FILE).exists():
        return url or URL_DEFAULT
    return find_identity(data, environment={}).url


def keep_identity(data: Path, identity: Identity) -> Path:
    """Write `demo.json`, readable by its owner alone, in one step."""
    path = data / DEMO_FILE
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    mode = stat.S_IRUSR | stat.S_IWUSR
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(identity), indent=2) + b"\n")
    fresh.replace(path)
    return path


class Exchange:
    """Requests to one exchange, signed where there is an identity."""

    def __init__(self, url: str, key: str = "", secret: str = "", admin_key: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"an exchange is at http://host:port, not at {url!r}")
        self.url = url.rstrip("/")
        self._parts = parts
        self._key = key
        self._secret = secret
        self._admin_key = admin_key

    @classmethod
    def of(cls, identity: Identity) -> Exchange:
        """The exchange of an identity."""
        return cls(identity.url, identity.key, identity.secret)

    def get(self, path: str, said: type[Said], query: Mapping[str, str] | None = None) -> Said:
        """Ask; signed where there is a key."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path, None, said)

    def post(self, path: str, fields: Mapping[str, Any], said: type[Said]) -> Said:
        """Ask for a change."""
        return self._call("POST", path, fields, said)

    def put(self, path: str, fields: Mapping[str, Any], said: type[Said]) -> Said:
        """Set something."""
        return self._call("PUT", path, fields, said)

    def delete(self, path: str, query: Mapping[str, str], said: type[Said]) -> Said:
        """End something."""
        return self._call("DELETE", f"{path}?{urlencode(query)}", None, said)

    def _call(
        self, method: str, target: str, fields: Mapping[str, Any] | None, said: type[Said]
    ) -> Said:
        body = b"" if fields is None else json.dumps(fields).encode()
        status, answer = self._exchange(method, target, body, self._headers(method, target, body))
        try:
            if status < http.HTTPStatus.BAD_REQUEST:
                return msgspec.json.decode(answer, type=said)
            error = msgspec.json.decode(answer, type=_Refusal).error
        except msgspec.MsgspecError:
            raise Failure(f"{self.url} answers as no Papertape does (HTTP {status})") from None
        raise Refused(error)

    def _headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json"} if body else {}
        if self._admin_key:
            headers[auth.ADMIN_HEADER] = self._admin_key
        if self._key:
            timestamp = str(time.time_ns() // 1_000_000)
            message = auth.payload(timestamp, method, target, body)
            headers[auth.KEY_HEADER] = self._key
            headers[auth.TIMESTAMP_HEADER] = timestamp
            headers[auth.SIGNATURE_HEADER] = auth.hmac_signature(self._secret, message)
        return headers

    def _exchange(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, target, body or None, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(
                f"nobody answers at {self.url} ({error}); is `papertape demo` running?"
            ) from None
        finally:
            connection.close()


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")
