"""What an exchange's /metrics says at two moments, two seconds apart."""

_BEFORE = {"done": 100, "repeated": 1, "UNKNOWN_ORDER": 5}
_AFTER = {"done": 490, "repeated": 1, "UNKNOWN_ORDER": 13, "MAX_ORDERS": 2}


def metrics_text(
    outcomes: dict[str, int], groups: int, sync_s: float, apply_s: float, cpu_s: float
) -> str:
    """Prometheus' text of these totals."""
    lines = ["# TYPE papertape_cpu_seconds counter", f"papertape_cpu_seconds_total {cpu_s}"]
    lines += ["# TYPE papertape_commands counter"]
    lines += [f'papertape_commands_total{{outcome="{o}"}} {n}' for o, n in outcomes.items()]
    for name, total in (
        ("group_commands", float(sum(outcomes.values()))),
        ("sync_seconds", sync_s),
        ("apply_seconds", apply_s),
    ):
        lines += [
            f"# TYPE papertape_{name} histogram",
            f'papertape_{name}_bucket{{le="+Inf"}} {groups}',
            f"papertape_{name}_count {groups}",
            f"papertape_{name}_sum {total}",
        ]
    return "\n".join(lines) + "\n"


BEFORE = metrics_text(_BEFORE, groups=50, sync_s=0.1, apply_s=0.02, cpu_s=1.5)
AFTER = metrics_text(_AFTER, groups=250, sync_s=0.5, apply_s=0.06, cpu_s=2.5)
