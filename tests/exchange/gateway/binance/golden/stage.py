"""Where a script is played: a venue whose clocks stand still, its actors, and what is written down.

Exchange time is stepped by the script. The wall goes on by a minute with each request, so that the
weight each is told is its own, unless the script says that it comes at once.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from exchange.clock import SteppedClock
from exchange.commands import Deposit
from exchange.config import Binance, Config, Server
from exchange.gateway import auth
from exchange.gateway.auth import RateLimiter
from exchange.gateway.binance.calls import SIGNED, Dialect
from exchange.gateway.binance.door import new_dialect
from exchange.gateway.binance.routes import BY_METHOD, BY_PATH
from exchange.gateway.binance.signing import KEY_HEADER, known_caller
from exchange.gateway.binance.streams.names import opening_of
from exchange.gateway.binance.streams.session import StreamSession
from exchange.gateway.binance.ws_api.door import APIS, _carried
from exchange.gateway.binance.ws_api.session import ApiSession
from matching.instrument import minor
from tests.exchange.gateway.binance.binance_rig import Bot
from tests.exchange.gateway.rig import ADMIN_KEY, START_MS, Answer, Rig, running

SYMBOLS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP", "BTC-USD-PERP")
ACTORS = ("alice", "bob", "carol")
MINUTE_MS = 60_000
DAY_MS = 86_400_000
TOLD_HEADERS = ("X-MBX-", "X-SAPI-", "Retry-After")
SECRET = re.compile(r"[0-9a-zA-Z]{64}")  # API keys, listenKeys and listenTokens.
DRAWN = re.compile(r"[0-9a-zA-Z]{22}")  # Client ids that the door draws where none is sent.
DRAWN_NAMES = frozenset(
    {"clientOrderId", "origClientOrderId", "listClientOrderId", "clientAlgoId", "c", "C", "caid"}
)

Fields = dict[str, str]
Line = dict[str, Any]
Session = ApiSession | StreamSession


class Wall:
    """The wall's clock, which only a script moves."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def ns(self) -> int:
        """Nanoseconds, like `time.time_ns`."""
        return self.now_ms * 1_000_000


class Stage:
    """A venue, its actors by name, and the lines written so far."""

    def __init__(self, rig: Rig, dialect: Dialect, wall: Wall, actors: dict[str, Bot]) -> None:
        self.rig = rig
        self.wall = wall
        self.actors = actors
        self.lines: list[Line] = []
        self.seen: dict[str, str] = {"now": str(START_MS)}  # Last value of each field answered.
        self._dialect = dialect
        self._sockets: dict[str, tuple[Session, Bot]] = {}
        self._pulse_ms = 0

    # -- the world -----------------------------------------------------------------------------

    async def deposit(self, actor: str, wallet: str, asset: str, amount: str) -> None:
        """Money out of nothing."""
        amount_minor = minor(amount)
        assert isinstance(amount_minor, int)
        account_id = self.actors[actor].trader.account_id
        wish = Deposit(account_id=account_id, wallet=wallet, asset=asset, amount_minor=amount_minor)
        await self.rig.do(wish)

    async def step(self, ms: int) -> None:
        """Exchange time goes on."""
        await self.rig.doors.sequencer.step(ms)
        self.seen["now"] = str(self.rig.doors.board.time_ms)

    async def pulse(self) -> None:
        """A second goes by for the streams that are told at a pace."""
        self._pulse_ms += 1_000
        self._dialect.hub.pulse(self._pulse_ms)

    def token(self, actor: str, scope: str) -> None:
        """A listenToken of the sockets opened here, as `userListenToken` gives them out."""
        trader = self.actors[actor].trader
        caller = known_caller(self.rig.doors, trader.key, "")
        self.seen["token"], _ = self._dialect.user_data.new_token(caller, scope, DAY_MS)

    # -- requests ------------------------------------------------------------------------------

    async def ask(self, actor: str, verb: str, target: str, fields: Fields, how: Fields) -> Answer:
        """One request, signed as its route wants it, or as `how` says.

        `key`, `signature` and `timestamp` (from now, or "none") take the place of the right ones;
        `body` sends the fields as a form.
        """
        bot, route = self.actors[actor], BY_PATH.get((verb, target))
        security = route.security if route else "N"
        headers = {} if security == "N" else {KEY_HEADER: how.get("key", bot.trader.key)}
        asked = dict(fields)
        if security in SIGNED:
            if how.get("timestamp") != "none":
                asked["timestamp"] = str(self.wall.now_ms + int(how.get("timestamp", "0")))
            signed = urlencode(asked)
            signature = auth.hmac_signature(bot.trader.secret, signed.encode())
            asked["signature"] = how.get("signature", signature)
        text = urlencode(asked)
        if "body" in how:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return await self.rig.ask(verb, target, text.encode(), headers=headers)
        return await self.rig.ask(verb, f"{target}?{text}" if text else target, headers=headers)

    def write(self, asked: str, answer: Answer) -> None:
        """Write a request and its answer down."""
        self._remember(answer.json)
        headers = {
            name: value for name, value in answer.headers.items() if name.startswith(TOLD_HEADERS)
        }
        said = {"ask": asked, "status": answer.status, "headers": headers, "answer": answer.json}
        self.lines.append(said)

    def _remember(self, said: Any) -> None:
        """The values a later line may call by name; of a list those of its last item."""
        if isinstance(said, list):
            said = said[-1] if said else {}
        if not isinstance(said, dict):
            return
        for name, value in said.items():
            if isinstance(value, dict | list):
                self._remember(value)
            else:
                self.seen[name] = str(value)

    # -- sockets -------------------------------------------------------------------------------

    def open(self, name: str, target: str, actor: str = "alice") -> None:
        """A socket of the streams or of the WebSocket API, opened at a target."""
        parts = urlsplit(target)
        session: Session
        if parts.path in APIS:
            session = ApiSession(self._dialect, APIS[parts.path], wake=_unheard)
        else:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            opening = opening_of(parts.path, query)
            assert opening is not None, target
            session = StreamSession(
                self._dialect.hub,
                opening,
                RateLimiter(0, 1_000),
                name=name,
                life_ms=0,
                now_ms=lambda: 0,
                wall_ms=lambda: self.wall.now_ms,
                wake=_unheard,
            )
        self._sockets[name] = session, self.actors[actor]

    def close(self, name: str) -> None:
        """Its client hangs up."""
        self._sockets.pop(name)[0].closed()

    async def send(self, name: str, frame: str) -> None:
        """A frame as it stands."""
        session, _ = self._sockets[name]
        session.receive(frame)
        if isinstance(session, ApiSession):
            for pending in session.requests():
                await _carried(session, pending)

    async def request(self, name: str, id_: int, method: str, fields: Fields, how: Fields) -> None:
        """A request of the WebSocket API, signed where its route wants it or `how` says so."""
        session, bot = self._sockets[name]
        assert isinstance(session, ApiSession)
        route = BY_METHOD.get((session._api, method))
        security = route.security if route else "N"
        params: dict[str, Any] = {key: _json_value(value) for key, value in fields.items()}
        if security != "N" and "logon" not in how:
            params["apiKey"] = how.get("key", bot.trader.key)
        if security in SIGNED or "sign" in how:
            params["timestamp"] = self.wall.now_ms
        if (security in SIGNED or "sign" in how) and "logon" not in how:
            params["apiKey"] = how.get("key", bot.trader.key)
            text = "&".join(f"{key}={_text(params[key])}" for key in sorted(params))
            signature = auth.hmac_signature(bot.trader.secret, text.encode())
            params["signature"] = how.get("signature", signature)
        await self.send(name, json.dumps({"id": id_, "method": method, "params": params}))

    def hear(self, asked: Line | None = None) -> None:
        """Write down what waits on every socket; the first says what was asked."""
        for name, (session, _) in self._sockets.items():
            for frame in session.to_send():
                said = json.loads(frame)
                self._remember(said)
                self.lines.append({**(asked or {}), "on": name, "tells": said})
                asked = None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _json_value(text: str) -> Any:
    """A field of a frame: JSON where it is some, else the text it is."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _unheard() -> None:
    """Frames are fetched, so nobody need be woken."""


def masked(said: Any, name: str = "") -> Any:
    """What was said, without what is drawn anew each time."""
    if isinstance(said, dict):
        return {key: masked(value, key) for key, value in said.items()}
    if isinstance(said, list):
        return [masked(value, name) for value in said]
    if name == "createTime" and said > START_MS + DAY_MS:
        return "<time>"  # Of a key: the machine's.
    if not isinstance(said, str):
        return said
    if name in DRAWN_NAMES and DRAWN.fullmatch(said):
        return "<drawn>"
    return SECRET.sub("<secret>", said)


@contextlib.asynccontextmanager
async def staged(limits: Binance) -> AsyncIterator[Stage]:
    """A venue of five instruments at 50,000 and 2,500, with actors who have money."""
    wall = Wall()
    config = Config(server=Server(admin_key=ADMIN_KEY), binance=limits)
    clock = SteppedClock(START_MS, wall_ns=wall.ns)
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder), config=config, symbols=SYMBOLS, clock=clock) as rig:
            for pair, price in (("BTC-USDT", "50000"), ("ETH-USDT", "2500")):
                await rig.set_index(pair, price)
            actors = {name: Bot(await rig.open_account(name)) for name in ACTORS}
            stage = Stage(rig, new_dialect(rig.doors), wall, actors)
            await stage.step(2_000)  # A grid point fixes the marks.
            yield stage
