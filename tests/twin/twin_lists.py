"""The twin's order lists and brackets: what befalls one leg, and what that does to the others."""

from __future__ import annotations

from msgspec import structs

from exchange.commands import Exit, PlaceList, PlaceOrder
from matching.types import OrderType, Side, TimeInForce, TriggerSource
from tests.twin.market import LOT_MINOR, PERP
from tests.twin.twin_placing import consider, enter, take_up
from tests.twin.twin_state import (
    SLEEPERS,
    STOPS,
    Board,
    TwinLeg,
    TwinList,
    TwinOrder,
    TwinState,
)
from tests.twin.twin_trading import end, expire_first

LISTS_MAX = 20
KINDS = {0: ("OCO", 2), 1: ("OTO", 2), 2: ("OTOCO", 3)}
Placed = tuple[str | None, int]  # Why not, and the id of what was placed all the same.


# -- placing -----------------------------------------------------------------------------------


def place(twin: TwinState, wish: PlaceOrder) -> Placed:
    """An order by itself, or one that brings its exits."""
    exits = [each for each in (wish.take_profit, wish.stop_loss) if each is not None]
    if exits:
        reason = _refuse_bracket(twin, wish, exits)
        if reason is not None:
            return reason, 0
        kind = "OTOCO" if len(exits) > 1 else "OTO"
        made = TwinList(twin.next_list_id, wish.account_id, wish.symbol, kind, [], bracket=True)
        made.legs = [TwinLeg(each) for each in (wish, *_exit_wishes(wish))]
        return _place_first(twin, made)
    order, reason = consider(twin, wish)
    reason = reason or take_up(twin, order)
    if reason is not None:
        return reason, 0
    enter(twin, order)
    return _refused_after_all(order), order.order_id


def place_list(twin: TwinState, wish: PlaceList) -> Placed:
    """A list: an OCO at once, of any other only the order that works."""
    reason = _refuse_list(twin, wish)
    if reason is not None:
        return reason, 0
    first = wish.orders[0]
    expire_first(twin, twin.boards[first.symbol])
    kind, _ = KINDS[wish.kind]
    made = TwinList(twin.next_list_id, wish.account_id, first.symbol, kind, [])
    made.legs = [TwinLeg(each) for each in wish.orders]
    if kind == "OCO":
        reason = _place_pair(twin, made)
        if reason is None:
            _look_at(twin, made)
    else:
        reason, _ = _place_first(twin, made)
    return (reason, 0) if reason else (None, made.list_id)


def _place_first(twin: TwinState, made: TwinList) -> Placed:
    reason, order_id = _place_leg(twin, made, made.legs[0])
    if reason is None:
        _look_at(twin, made)
    elif made.list_id in twin.lists:  # It got its id, and was refused at the book.
        del twin.lists[made.list_id]
        twin.due.remove(made.list_id)
    return reason, order_id


def _place_leg(twin: TwinState, made: TwinList, leg: TwinLeg) -> Placed:
    late = made.bracket and leg is not made.legs[0]
    order, reason = consider(twin, leg.wish, late)
    reason = reason or take_up(twin, order)
    if reason is not None:
        return reason, 0
    _join(twin, made, leg, order)
    enter(twin, order, late)
    return _refused_after_all(order), order.order_id


def _place_pair(twin: TwinState, made: TwinList) -> str | None:
    """Both legs of an OCO, or neither."""
    board = twin.boards[made.symbol]
    limit_leg, stop_leg = made.pair
    late = made.bracket
    open_here = twin.open_orders(made.account_id, made.symbol)
    asleep = [each for each in open_here if each.is_asleep]
    if len(open_here) + 2 > board.bounds.orders_max:
        return "MAX_ORDERS"
    sleeping = 1 + (limit_leg.wish.type in SLEEPERS)
    if len(asleep) + sleeping > board.bounds.algo_orders_max:
        return "MAX_ALGO_ORDERS"
    reason = None if late else _refuse_market(board, limit_leg.wish, stop_leg.wish)
    if reason is not None:
        return reason
    stop_id = twin.next_order_id + 1
    limit, reason = consider(twin, limit_leg.wish, late)
    stop, other_reason = consider(twin, stop_leg.wish, late, stop_id)
    reason = reason or other_reason or take_up(twin, limit)
    if reason is not None:
        return reason
    _join(twin, made, limit_leg, limit)
    _join(twin, made, stop_leg, stop)
    enter(twin, limit, late)
    enter(twin, stop, late)
    return None


def _join(twin: TwinState, made: TwinList, leg: TwinLeg, order: TwinOrder) -> None:
    leg.order, order.list_id = order, made.list_id
    twin.lists[made.list_id] = made
    twin.next_list_id = max(twin.next_list_id, made.list_id + 1)


def _look_at(twin: TwinState, made: TwinList) -> None:
    if made.list_id not in twin.due:
        twin.due.append(made.list_id)


def _refused_after_all(order: TwinOrder) -> str | None:
    return order.reason if order.status == "REJECTED" else None


# -- refusing ----------------------------------------------------------------------------------


def lists_on(twin: TwinState, account_id: int, symbol: str) -> int:
    """How many lists an account has open on an instrument."""
    every = [(each.account_id, each.symbol) for each in twin.lists.values()]
    return every.count((account_id, symbol))


def _refuse_list(twin: TwinState, wish: PlaceList) -> str | None:
    """Orders that do not make such a list."""
    kind, legs = KINDS.get(wish.kind, ("", 0))
    if not kind or len(wish.orders) != legs:
        return "LIST_SHAPE"
    first = wish.orders[0]
    for each in wish.orders:
        if (each.symbol, each.wallet) != (first.symbol, first.wallet):
            return "LIST_SHAPE"
        if each.take_profit is not None or each.stop_loss is not None:
            return "LIST_SHAPE"
    if kind != "OCO" and first.type not in (OrderType.LIMIT, OrderType.MARKET):
        return "LIST_SHAPE"
    if lists_on(twin, wish.account_id, first.symbol) >= LISTS_MAX:
        return "MAX_ORDER_LISTS"
    pair = {"OCO": wish.orders, "OTO": [], "OTOCO": wish.orders[1:]}[kind]
    return _refuse_pair(*pair) if pair else None


def _refuse_pair(limit: PlaceOrder, stop: PlaceOrder) -> str | None:
    """A limit maker or take-profit, and a stop of the same side and quantity (S5)."""
    makes = limit.type is OrderType.LIMIT and limit.post_only
    waits = limit.tif in (TimeInForce.GTC, TimeInForce.GTD)
    takes = limit.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
    shaped = ((makes and waits) or takes) and stop.type in STOPS
    alike = (limit.side, limit.lots) == (stop.side, stop.lots) and limit.lots > 0
    odd = limit.close_position or stop.close_position or limit.trailing_bps or stop.trailing_bps
    if not shaped or not alike or odd:
        return "LIST_SHAPE"
    return refuse_crossed(limit, stop)


def refuse_crossed(limit: PlaceOrder | TwinOrder, stop: PlaceOrder | TwinOrder) -> str | None:
    """A sale's gain lies above its stop, a purchase's below."""
    gain, loss = target(limit), stop.trigger_ticks
    right = gain > loss if limit.side is Side.SELL else gain < loss
    return None if right else "LIST_PRICES_CROSSED"


def target(limit: PlaceOrder | TwinOrder) -> int:
    """The price that the leg waits for."""
    return limit.trigger_ticks or limit.price_ticks


def _refuse_market(board: Board, limit: PlaceOrder, stop: PlaceOrder) -> str | None:
    """The last price lies between the legs, and the limit does not trade at once (S5)."""
    last = board.last_ticks
    if last is not None and stop.trigger is TriggerSource.LAST:
        between = min(target(limit), stop.trigger_ticks), max(target(limit), stop.trigger_ticks)
        if not between[0] < last < between[1]:
            return "LIST_PRICES_CROSSED"
    best = board.best_ticks(Side.BUY if limit.side is Side.SELL else Side.SELL)
    if limit.type is not OrderType.LIMIT or best is None or board.collects:
        return None
    sells = limit.side is Side.SELL
    taking = limit.price_ticks <= best if sells else limit.price_ticks >= best
    return "WOULD_TAKE" if taking else None


# -- brackets ----------------------------------------------------------------------------------


def _refuse_bracket(twin: TwinState, wish: PlaceOrder, exits: list[Exit]) -> str | None:
    """Exits that do not go with their entry (T21)."""
    board = twin.boards[wish.symbol]
    bounds = board.bounds
    prices = range(bounds.ticks_min, bounds.ticks_max + 1)
    if wish.reduce_only or wish.close_position:
        return "BRACKET_NOT_ALLOWED"
    for each in exits:
        if each.trigger_ticks not in prices or (
            each.price_ticks and each.price_ticks not in prices
        ):
            return "PRICE_OUT_OF_RANGE"
        if not each.price_ticks and wish.lots > bounds.market_lots_max:
            return "MARKET_QTY_OUT_OF_RANGE"
        if each.trigger is TriggerSource.MARK and board.is_spot:
            return "NO_MARK_PRICE"
    if lists_on(twin, wish.account_id, wish.symbol) >= LISTS_MAX:
        return "MAX_ORDER_LISTS"
    return refuse_exit_prices(
        wish.side,
        wish.take_profit.trigger_ticks if wish.take_profit else 0,
        wish.stop_loss.trigger_ticks if wish.stop_loss else 0,
        entry_ticks(board, wish),
    )


def refuse_exit_prices(side: Side, gain: int, loss: int, entry: int) -> str | None:
    """The gain lies where the entry wins, the loss where it loses; 0 is none, or not known."""
    sign = 1 if side is Side.BUY else -1
    known = [sign * ticks for ticks in (loss, entry, gain) if ticks]
    return None if known == sorted(set(known)) else "BRACKET_PRICES"


def entry_ticks(board: Board, order: PlaceOrder | TwinOrder, sleeps: bool = False) -> int:
    """About where an order will be filled; 0 where nobody can say."""
    if sleeps or order.trigger_ticks or order.trailing_bps:
        return order.trigger_ticks
    last = board.last_ticks or 0
    if not order.price_ticks or not last:
        return order.price_ticks or last
    better = min if order.side is Side.BUY else max
    return better(order.price_ticks, last)


def _exit_wishes(wish: PlaceOrder) -> list[PlaceOrder]:
    """The take-profit first; for how much is not known yet."""
    found = []
    for each, plain, limited in (
        (wish.take_profit, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
        (wish.stop_loss, OrderType.STOP, OrderType.STOP_LIMIT),
    ):
        if each is not None:
            found.append(
                PlaceOrder(
                    account_id=wish.account_id,
                    symbol=wish.symbol,
                    side=Side.SELL if wish.side is Side.BUY else Side.BUY,
                    type=limited if each.price_ticks else plain,
                    price_ticks=each.price_ticks,
                    trigger_ticks=each.trigger_ticks,
                    trigger=each.trigger,
                    stp=wish.stp,
                    wallet=wish.wallet,
                    reduce_only=wish.symbol == PERP,
                )
            )
    return found


# -- carrying on -------------------------------------------------------------------------------


def carry_on(twin: TwinState) -> None:
    """Do to the next list that is due what its legs ask for, and tell of it."""
    each = twin.lists[twin.due.pop(0)]
    while _step(twin, each):
        pass
    if each.list_id in twin.due:
        twin.due.remove(each.list_id)
    twin.tell_list(each)
    if each.status != "EXECUTING":
        del twin.lists[each.list_id]


def _step(twin: TwinState, each: TwinList) -> bool:
    """One thing, if there is anything to do."""
    pending = [leg for leg in each.legs if leg.status == "PENDING"]
    if pending:
        working = each.legs[0].status
        if working == "FILLED" or (working == "PART_FILLED" and each.bracket):
            expire_first(twin, twin.boards[each.symbol])
            _place_pending(twin, each)
        elif working in ("ENDED", "PART_FILLED", "REJECTED"):
            for leg in pending:
                leg.end = "ENDED"
        else:
            return False
        return True
    for mine, other in (each.pair, each.pair[::-1]) if each.pair else ():
        if other.status == "OPEN" and mine.status != "OPEN" and other.order is not None:
            end(twin, other.order, "EXPIRED", "LIST_ENDED")
            return True
    return False


def _place_pending(twin: TwinState, each: TwinList) -> None:
    if each.bracket:
        for leg in each.legs[1:]:
            leg.wish = structs.replace(leg.wish, lots=_brought_lots(each))
    if each.kind == "OTOCO":
        reason = _place_pair(twin, each)
    else:
        reason, _ = _place_leg(twin, each, each.legs[1])
    if reason is not None:
        each.reason = reason
        for leg in each.legs[1:]:
            if leg.order is None:
                leg.end = "REJECTED"


def _brought_lots(each: TwinList) -> int:
    """What an entry brought: what was bought on spot is less its fees (T21)."""
    entry = each.legs[0]
    if each.symbol == PERP or entry.wish.side is Side.SELL:
        return entry.filled_lots
    return (entry.filled_lots * LOT_MINOR - entry.paid_minor) // LOT_MINOR


def forgo(twin: TwinState, list_id: int) -> None:
    """All is to end: what still waits in a list is never placed."""
    for leg in twin.lists[list_id].legs:
        if leg.status == "PENDING":
            leg.end = "ENDED"
