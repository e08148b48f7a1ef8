"""A pipe sends what a WebSocket server understands, so many at a time, and counts the answers."""

from __future__ import annotations

import pytest

from exchange.bench.echo import serve_picows
from exchange.bench.pipes import client_frame, connected
from exchange.bench.processes import bare_process


@pytest.mark.parametrize("size", [1, 125, 126, 5_000])
async def test_what_is_sent_in_a_frame_comes_back_whole(size: int) -> None:
    port = await serve_picows(broadcast=False)
    pipe = await connected(f"http://127.0.0.1:{port}/")
    payload = b'"ok":true' + b"x" * size
    await pipe.play([client_frame(payload)] * 7, 2, judged=True)
    assert pipe.heard == 7
    assert pipe.refused == []
    pipe.close()


async def test_answers_that_are_not_ok_are_kept_where_they_are_judged() -> None:
    port = await serve_picows(broadcast=False)
    pipe = await connected(f"http://127.0.0.1:{port}/")
    await pipe.play([client_frame(b"no")], 1, judged=False)
    assert pipe.refused == []
    await pipe.play([client_frame(b"no")] * 2, 5, judged=True)
    assert pipe.refused == [b"no", b"no"]
    pipe.close()


async def test_a_server_that_hangs_up_fails_who_waits() -> None:
    with bare_process("picows") as bare:
        pipe = await connected(bare.said["url"])
    with pytest.raises(ConnectionError, match="hung up"):
        await pipe.ask("ping")
