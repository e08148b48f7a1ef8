"""The pages and documents of the main port: read once, answered from memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final, Self

import msgspec
from aiohttp import web

from exchange.openapi import asyncapi, openapi

FOLDER: Final = resources.files("exchange") / "web"

# Address, file and type; there is nothing else to be had from the folder.
FILES: Final = (
    ("/", "index.html", "text/html"),
    ("/docs", "docs.html", "text/html"),
    ("/web/market.js", "market.js", "text/javascript"),
    ("/web/docs.js", "docs.js", "text/javascript"),
    ("/web/style.css", "style.css", "text/css"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """One document and its fingerprint."""

    body: bytes
    content_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, content_type: str) -> Self:
        """A document of that content."""
        return cls(body, content_type, hashlib.sha256(body).hexdigest()[:32])

    async def answer(self, request: web.Request) -> web.Response:
        """The document, or the news that the reader's copy is the newest."""
        headers = {"Cache-Control": "no-cache", "ETag": f'"{self.etag}"'}
        held = request.if_none_match
        if held is not None and any(tag.value == self.etag for tag in held):
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=self.body, content_type=self.content_type, charset="utf-8", headers=headers
        )


@dataclass(frozen=True, slots=True)
class Pages:
    """Every page by its address."""

    by_path: dict[str, Page]

    @classmethod
    def load(cls) -> Self:
        """Read the folder and make the documents."""
        pages = {path: Page.of((FOLDER / name).read_bytes(), kind) for path, name, kind in FILES}
        for path, document in (("/openapi.json", openapi()), ("/asyncapi.json", asyncapi())):
            body = msgspec.json.format(msgspec.json.encode(document), indent=1)
            pages[path] = Page.of(body, "application/json")
        return cls(pages)
