"""Options by which a process finds its Redis: what is wrong is said before anything starts."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from exchange.cli.output import UsageError
from exchange.cli.redis_options import add_redis_options, redis_flags, redis_of


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_redis_options(parser)
    return parser.parse_args(["--redis", "redis://localhost:6379", *words])


def test_the_venue_is_main_unless_it_is_named() -> None:
    assert redis_of(given())[1].venue == "main"
    assert redis_of(given("--venue", "class-7b"))[1].venue == "class-7b"


@pytest.mark.parametrize("name", ["", "{main}", "a b", "a:b", "-x", "A", "x" * 41, "a\n"])
def test_a_venue_that_would_spoil_a_key_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="begins with a letter or digit"):
        redis_of(given(f"--venue={name}"))


def test_a_password_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    connection, _ = redis_of(given("--redis-user", "core", "--redis-password", f"@{file}"))
    assert connection.options == {"username": "core", "password": "s3cret"}
    monkeypatch.setenv("PAPERTAPE_REDIS_PASSWORD", "other")
    assert redis_of(given())[0].options == {"password": "other"}


def test_a_password_on_the_command_line_is_refused() -> None:
    with pytest.raises(UsageError, match="could be seen by others"):
        redis_of(given("--redis-password", "s3cret"))
    with pytest.raises(UsageError, match="cannot read /nowhere"):
        redis_of(given("--redis-password", "@/nowhere"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--redis", "http://localhost"), "redis://"),
        (("--redis-ca", "/nowhere"), "only with rediss://"),
        (("--redis", "rediss://localhost", "--redis-ca", "/nowhere"), "no file /nowhere"),
    ],
)
def test_an_address_that_cannot_be_is_refused(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        redis_of(given(*words))


def test_another_process_is_told_the_same() -> None:
    args = given("--venue", "x", "--redis-user", "core", "--redis-ca", "ca.pem")
    assert redis_flags(args) == ["--venue", "x", "--redis-user", "core", "--redis-ca", "ca.pem"]
