"""The pages: from memory, whole, and nothing of another's."""

from __future__ import annotations

import json
import re

import pytest

from exchange.gateway.pages import FILES, FOLDER, Pages
from tests.exchange.gateway.rig import running

PAGES = Pages.load().by_path


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_has_no_script_or_style_inside_and_fetches_only_ours(path: str) -> None:
    page = PAGES[path].body.decode()
    for script in re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.DOTALL):
        assert 'src="/web/' in script[0]
        assert not script[1]
    assert "<style" not in page
    assert not re.search(r"\son\w+=|\sstyle=", page)
    fetched = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all(one.startswith("/") or one == "data:," for one in fetched)
    assert "PAPER" in page


def test_whatever_a_page_names_is_served() -> None:
    for page in ("/", "/docs"):
        for name in re.findall(r'(?:src|href)="(/[^"]*)"', PAGES[page].body.decode()):
            assert name in PAGES


def test_scripts_draw_text_and_never_markup() -> None:
    for path, name, _ in FILES:
        if name.endswith(".js"):
            script = PAGES[path].body.decode()
            assert "innerHTML" not in script
            assert "insertAdjacentHTML" not in script
            assert "eval(" not in script
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", script)


def test_the_page_says_when_it_has_drawn() -> None:
    assert "document.body.dataset.seq" in PAGES["/web/market.js"].body.decode()


def test_every_file_of_the_folder_is_served() -> None:
    ours = {
        entry.name
        for entry in FOLDER.iterdir()
        if entry.is_file() and entry.name.rpartition(".")[2] in {"html", "css", "js"}
    }
    assert ours == {name for _, name, _ in FILES}


async def test_a_page_is_sent_once_to_who_has_it_already(tmp_path) -> None:
    async with running(tmp_path) as rig:
        first = await rig.ask("GET", "/")
        assert first.headers["Content-Type"] == "text/html; charset=utf-8"
        tag = first.headers["ETag"]
        again = await rig.ask("GET", "/", headers={"If-None-Match": tag})
        assert (again.status, again.body) == (304, b"")
        other = await rig.ask("GET", "/", headers={"If-None-Match": '"other"'})
        assert (other.status, other.body) == (200, first.body)
        document = json.loads((await rig.ask("GET", "/openapi.json")).body)
        assert document["openapi"] == "3.1.0"
