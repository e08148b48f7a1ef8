"""Tests of scripts/capacity: the page of the project is what its figures say."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.capacity.command import main
from tests.exchange.capacity.worlds import figures

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_docs_scale_is_what_its_figures_say() -> None:
    files = ["--figures", str(DOCS / "scale-figures.json"), "--page", str(DOCS / "scale.md")]
    assert main([*files, "--check"]) == 0


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Options that name other figures, and a page that is still the project's."""
    (tmp_path / "figures.json").write_bytes(msgspec.json.encode(figures()))
    (tmp_path / "scale.md").write_text((DOCS / "scale.md").read_text("utf-8"), "utf-8")
    return [
        *("--figures", str(tmp_path / "figures.json")),
        *("--page", str(tmp_path / "scale.md")),
    ]


def test_other_figures_are_seen_and_written(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, "--check"]) == 1
    assert "--write" in capsys.readouterr().err
    assert main([*files, "--write"]) == 0
    assert main([*files, "--check"]) == 0
    assert "Measured on paper." in (tmp_path / "scale.md").read_text("utf-8")


def test_without_an_order_the_tables_are_printed(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(files) == 0
    assert "## ceilings" in capsys.readouterr().out
    assert main([*files, "--set", "engine_us=15"]) == 0
    # 15 + 10 us: half a core is 20,000 a second.
    assert "| one process, compiled | 25.0 | 20,000 | 40,000 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--set", "luck=1"], "no figure luck"),
        (["--set", "engine_us"], "NAME=VALUE"),
        (["--set", "engine_us=fast"], "NAME=VALUE"),
        (["--set", "engine_us=1", "--write"], "for trying"),
        (["--page", "gone.md", "--check"], "gone.md"),
        (["--take", "gone.json"], "gone.json"),
    ],
)
def test_what_cannot_be_is_refused(
    files: list[str], more: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files, *more]) == 2
    assert told in capsys.readouterr().err


def test_reports_are_taken_and_what_changed_is_told(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "fanout.json"
    said: dict[str, Any] = {"bench": "fanout", "build": "compiled", "port": "fast"}
    said |= {"server_us_per_delivery": 2.5, "bytes": 200}
    report.write_bytes(msgspec.json.encode(said))
    assert main([*files, "--take", str(report), "--machine", "a better one"]) == 0
    assert capsys.readouterr().out == "delivery_us: 10 -> 2.5\n"  # The bytes were 200 before.
    assert main([*files, "--write"]) == 0
    page = (tmp_path / "scale.md").read_text("utf-8")
    assert "Measured on a better one." in page
    assert "| 2.5 us of a core a message |" in page
