"""Lines to the small exchange, for tests."""

from clients.load.driver import WallTimer
from clients.load.line import connect
from clients.load.native_line import NativeLine
from clients.load.plan import NS_PER_S, Item, Plan
from clients.load.record import Record
from clients.signing import Signer
from tests.clients.fake_exchange import KEY, SECRET, FakeExchange
from tests.clients.load.worlds import shape, wording


def blank() -> Record:
    """A record of nothing yet."""
    return Record(Plan(shape(warm_up_s=0), (), 0, 10 * NS_PER_S))


async def line_to(exchange: FakeExchange, record: Record) -> NativeLine:
    """A line that is logged in."""
    line = await connect(socket_of(exchange), lambda: NativeLine(record, WallTimer()))
    await line.login(Signer(KEY, SECRET))
    return line


def socket_of(exchange: FakeExchange) -> str:
    """Where its WebSocket is."""
    return exchange.url.replace("http", "ws") + "/v1/ws"


def order(number: int) -> tuple[Item, bytes]:
    """An order as an item and as a request."""
    item = Item(0, 0, "place", "BTC-USDT", order=number, size=1, distance_bps=50)
    return item, wording().text(number, item)
