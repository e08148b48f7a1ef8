"""Scripts of golden files: how a line reads, and what comes of playing one from its beginning.

A line is one of these; what lies behind a # is for whoever reads it. `$name` stands for the last
value answered under that name, and `$now` for exchange time.

    GET /api/v3/depth symbol=BTCUSDT     a request of alice's; with `!name=value` (see `Stage.ask`)
    + GET ...                            in the same minute of the wall as the one before it
    bob POST /api/v3/order ...           a request of another's, which succeeds and goes unwritten
    deposit alice margin USDT 1000       money; `index BTC-USDT 51000` and `step 10000` move on
    open S /ws/btcusdt@trade             a socket, whose messages are written down as they come
    token alice margin                   a listenToken, to be had as $token
    S order.place symbol=BTCUSDT ...     a request on it, signed where it must be (or by `!sign`)
    S {"method": "SUBSCRIBE", ...}       a frame on it as it stands; `close S`, and `pulse`
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from exchange.config import Binance
from tests.exchange.gateway.binance.golden.stage import MINUTE_MS, Fields, Stage, masked, staged

FOLDER: Final = Path(__file__).resolve().parent
SUBJECTS: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.script")))
VERBS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})
LIMITS: Final = Binance()
FEW: Final = Binance(  # For the script that goes beyond them.
    spot_weight_per_minute=50,
    margin_weight_per_minute=50,
    futures_weight_per_minute=10,
    spot_orders_per_10_seconds=2,
    futures_orders_per_10_seconds=2,
)
AT_ONCE: Final = "+"


def answers_of(subject: str) -> Path:
    """The file of what a script was answered."""
    return FOLDER / f"{subject}.jsonl"


def script_of(subject: str) -> list[str]:
    """The lines of a script that say something."""
    text = (FOLDER / f"{subject}.script").read_text("utf-8")
    lines = (line.partition(" # ")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


async def played(subject: str) -> list[str]:
    """What a script is answered, line by line, as its file has it."""
    async with staged(FEW if subject == "limits" else LIMITS) as stage:
        for number, line in enumerate(script_of(subject), 1):
            try:
                await _play(stage, number, line)
            except Exception as failure:
                failure.add_note(f"{subject}: {line}")
                raise
        return [_written(masked(each)) for each in stage.lines]


def _written(line: dict[str, object]) -> str:
    return json.dumps(line, ensure_ascii=False)


async def _play(stage: Stage, number: int, line: str) -> None:
    words = line.split()
    if words[0] == AT_ONCE:
        words = words[1:]
    else:
        stage.wall.now_ms += MINUTE_MS
    asked = " ".join(words)
    if words[0] in VERBS:
        fields, how = _fields(stage, words[2:])
        answer = await stage.ask("alice", words[0], words[1], fields, how)
        stage.write(asked, answer)
    elif words[0] in stage.actors:
        fields, how = _fields(stage, words[3:])
        answer = await stage.ask(words[0], words[1], words[2], fields, how)
        assert answer.status == 200, answer.body
    elif await _moves_on(stage, words):
        stage.lines.append({"then": asked})
    elif words[0] == "open":
        stage.lines.append({"then": asked})
        stage.open(words[1], _filled(stage, words[2]), *words[3:])
    elif words[0] == "close":
        stage.close(words[1])
    elif not _is_method(words[1]):
        await stage.send(words[0], _filled(stage, asked.partition(" ")[2]))
        stage.hear({"ask": asked})
        return
    else:
        fields, how = _fields(stage, words[2:])
        await stage.request(words[0], number, words[1], fields, how)
        stage.hear({"ask": asked})
        return
    stage.hear()


def _is_method(word: str) -> bool:
    """Whether a word is a method of the WebSocket API, and not the beginning of a frame."""
    return not word.startswith("{")


async def _moves_on(stage: Stage, words: list[str]) -> bool:
    """Whether the line is of the world; it is done then."""
    match words:
        case ["deposit", actor, wallet, asset, amount]:
            await stage.deposit(actor, wallet, asset, amount)
        case ["index", pair, price]:
            await stage.rig.set_index(pair, price)
        case ["step", ms]:
            await stage.step(int(ms))
        case ["token", actor, scope]:
            stage.token(actor, scope)
        case ["pulse"]:
            await stage.pulse()
        case _:
            return False
    return True


def _fields(stage: Stage, words: list[str]) -> tuple[Fields, Fields]:
    """The fields of a request, and how it is sent."""
    fields: Fields = {}
    how: Fields = {}
    for word in words:
        name, _, value = word.partition("=")
        if name.startswith("!"):
            how[name[1:]] = _filled(stage, value)
        else:
            fields[name] = _filled(stage, value)
    return fields, how


def _filled(stage: Stage, text: str) -> str:
    """A text whose `$name`s are what was answered; the longest names first."""
    if "$" in text:
        for name in sorted(stage.seen, key=len, reverse=True):
            text = text.replace(f"${name}", stage.seen[name])
    assert "$" not in text, text
    return text
