"""Tests of the page of a report: it stands alone, and shows what was measured."""

import re
from html.parser import HTMLParser

import msgspec

from clients.load.plot import page_of
from tests.clients.load.test_report import reported
from tests.clients.load.worlds import prompt, silent, stalling


class Page(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


async def test_the_page_asks_nobody_for_anything() -> None:
    text = page_of(await reported(prompt))
    page = Page(text)
    assert page.tags.count("svg") == 4
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not {"src", "href", "xlink:href", "data", "onload", "onclick"} & names
    assert "url(" not in text
    assert "@import" not in text
    # The only address is the exchange's, and that as text.
    assert set(re.findall(r"\w+://[^\s<\"]+", text)) == {"ws://127.0.0.1:8080/v1/ws"} | {
        "ws://127.0.0.1:8080/v1/ws,"
    }


async def test_a_stall_is_to_be_seen() -> None:
    steady, stalled = page_of(await reported(prompt)), page_of(await reported(stalling(5, 6)))
    # A second of 5 to 6 s, the first of them warm-up: the slowest piece begins with it.
    said = re.findall(r"max ([\d.,]+) ms at ([\d.]+) s", stalled)
    worst, at = max((float(ms.replace(",", "")), float(s)) for ms, s in said)
    assert (at, worst > 900) == (4.0, True)
    assert all(float(ms) < 2 for ms, _ in re.findall(r"max ([\d.]+) ms at ([\d.]+) s", steady))


async def test_an_old_run_is_drawn_behind_the_new_one() -> None:
    old, new = await reported(stalling(5, 6)), await reported(prompt)
    assert "old run, planned" in page_of(new, old)
    assert "old run, planned" not in page_of(new)


async def test_a_run_without_an_answer_has_a_page_too() -> None:
    page = Page(page_of(await reported(silent)))
    assert page.tags.count("svg") == 4


async def test_the_marks_of_time_are_round() -> None:
    text = page_of(await reported(prompt, seconds=7))
    marks = re.findall(r'<text class="tick" [^>]*>([\d.]+)</text>', text)
    assert marks[:8] == [str(second) for second in range(8)]


def marks_of(text: str) -> list[float]:
    return [float(mark) for mark in re.findall(r'<text class="tick" [^>]*>([\d.]+)</text>', text)]


async def test_of_a_run_that_was_stopped_the_axis_holds_what_there_was() -> None:
    whole = await reported(prompt)
    stopped = msgspec.structs.replace(whole, timeline=whole.timeline[:20], interrupted=True)
    # 20 hundredths of ten seconds: to 2 s, by a quarter rounded up to half a second.
    assert marks_of(page_of(stopped))[:5] == [0, 0.5, 1, 1.5, 2]
    nothing = msgspec.structs.replace(whole, timeline=[], curves={})
    assert marks_of(page_of(nothing))[:3] == [0, 2, 4]
