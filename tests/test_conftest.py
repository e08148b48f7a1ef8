"""Tests of the fixtures: the Redis is real, and its absence is told."""

import subprocess
import sys
from pathlib import Path

import pytest
import redis.asyncio
from hypothesis import settings

from tests import conftest

ROOT = conftest.ROOT


async def test_the_redis_of_the_tests_answers_and_takes_streams(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url, protocol=3) as client:
        assert await client.ping()
        await client.xadd("test-conftest", {"word": "kept"})
        entries = await client.xrange("test-conftest") or []
        await client.delete("test-conftest")
    assert [fields for _, fields in entries] == [{b"word": b"kept"}]


def asks_for_redis(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run, in a process of its own, one test that asks for the Redis."""
    story = tmp_path / "test_story.py"
    # Another prefix: this venv may hold a Redis server that scripts/test fetched.
    elsewhere = f"import sys\nsys.prefix = {str(tmp_path)!r}\n"
    story.write_text(f"{elsewhere}from tests.conftest import *\ndef test_it(redis_url): pass\n")
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", str(story)]
    environment |= {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )


def test_without_a_redis_server_the_test_fails_and_names_the_command(tmp_path: Path) -> None:
    run = asks_for_redis(tmp_path, PATH=str(tmp_path))
    assert run.returncode == 1
    assert "apt install redis-server" in run.stdout


def test_redis_tests_are_skipped_by_request_alone(tmp_path: Path) -> None:
    run = asks_for_redis(tmp_path, PATH=str(tmp_path), PAPERTAPE_WITHOUT="browser,redis")
    assert run.returncode == 0
    assert "left out by request" in run.stdout


def test_a_redis_server_that_does_not_start_shows_what_it_said(tmp_path: Path) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho cannot do that\nexit 3\n")
    broken.chmod(0o755)
    run = asks_for_redis(tmp_path, PATH=f"{tmp_path}:/bin:/usr/bin")
    assert run.returncode == 1
    assert "cannot do that" in run.stdout


def test_a_named_redis_is_used_as_it_is(tmp_path: Path) -> None:
    run = asks_for_redis(tmp_path, PATH=str(tmp_path), PAPERTAPE_REDIS_URL="redis://there")
    assert run.returncode == 0


def test_hypothesis_tells_the_same_stories_on_every_machine() -> None:
    if settings.get_current_profile_name() != "ci":
        pytest.skip("another Hypothesis profile was asked for")
    assert settings().derandomize
