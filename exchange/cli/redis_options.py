"""The options by which the processes of a cluster find their Redis and their venue in it."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.cli.output import UsageError

if TYPE_CHECKING:
    from exchange.cluster.connecting import Connection
    from exchange.cluster.names import Names

PASSWORD_VARIABLE: Final = "PAPERTAPE_REDIS_PASSWORD"
VENUE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def add_redis_options(
    command: argparse.ArgumentParser, *, required: bool = True, by_flag: bool = True
) -> None:
    """Add them; `--redis` may be left out where the command can do without.

    Without `by_flag` the command sets `args.redis` itself.
    """
    where = command.add_argument_group("Redis")
    if by_flag:
        where.add_argument(
            "--redis",
            metavar="URL",
            required=required,
            help="redis://HOST:PORT/DB, rediss://... for TLS, unix://PATH",
        )
    where.add_argument(
        "--venue", default="main", help="name of the venue in that Redis (default: main)"
    )
    where.add_argument("--redis-user", metavar="NAME", help="of Redis's ACL")
    where.add_argument(
        "--redis-password",
        metavar="@FILE",
        help=f"a file with the password; else the environment's {PASSWORD_VARIABLE}",
    )
    where.add_argument("--redis-ca", metavar="FILE", help="certificate that the server's is of")
    where.add_argument("--redis-cert", metavar="FILE", help="our certificate, where it wants one")
    where.add_argument("--redis-key", metavar="FILE", help="the key of that certificate")


def redis_of(args: argparse.Namespace) -> tuple[Connection, Names]:
    """Which Redis, and which names in it; a mistake is a UsageError."""
    from exchange.cluster.connecting import BadAddress, Connection
    from exchange.cluster.names import Names

    if not VENUE.fullmatch(args.venue):
        raise UsageError(
            "--venue is 1 to 40 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit,"
            f" not {args.venue!r}"
        )
    try:
        connection = Connection.parse(
            args.redis,
            username=args.redis_user,
            password=_password(args.redis_password),
            ca=args.redis_ca,
            cert=args.redis_cert,
            key=args.redis_key,
        )
    except BadAddress as error:
        raise UsageError(str(error)) from None
    return connection, Names(args.venue)


def redis_flags(args: argparse.Namespace) -> list[str]:
    """The same options for another process of this cluster, but `--redis`."""
    flags = ["--venue", args.venue]
    for name in ("redis_user", "redis_password", "redis_ca", "redis_cert", "redis_key"):
        value = getattr(args, name)
        if value is not None:
            flags += [f"--{name.replace('_', '-')}", value]
    return flags


def _password(given: str | None) -> str | None:
    if given is None:
        return os.environ.get(PASSWORD_VARIABLE)
    if not given.startswith("@"):
        raise UsageError(
            "a password on the command line could be seen by others: "
            f"give --redis-password @FILE, or set {PASSWORD_VARIABLE}"
        )
    try:
        return Path(given[1:]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"cannot read {given[1:]}: {error.strerror}") from None
