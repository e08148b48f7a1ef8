"""Round figures, so that sums can be done by hand."""

from exchange.capacity.figures import ASSUMED, MEASURED, Figure, Figures

VALUES = {
    "engine_interpreted_us": 90.0,
    "engine_us": 40.0,
    "replica_us": 50.0,
    "intake_us": 10.0,
    "edge_us": 10.0,
    "delivery_us": 10.0,
    "redis_us": 4.0,
    "core_group_us": 500.0,
    "gateway_group_us": 400.0,
    "redis_group_us": 100.0,
    "bunch": 2.0,
    "sync_ms": 1.0,
    "append_ms": 1.0,
    "hop_ms": 0.5,
    "market_share": 0.1,
    "busy": 0.5,
    "process_bytes": 1e8,
    "account_bytes": 4_000.0,
    "order_bytes": 1_000.0,
    "session_bytes": 20_000.0,
    "command_bytes": 100.0,
    "history_bytes": 900.0,
    "delivery_bytes": 200.0,
    "market_bytes_day": 1e9,
}


def figures() -> Figures:
    """Every figure: one of these, or 1."""
    measured, assumed = (
        {name: Figure(VALUES.get(name, 1.0), f"what {name} says", "by hand") for name in names}
        for names in (MEASURED, ASSUMED)
    )
    return Figures("paper", measured, assumed)
