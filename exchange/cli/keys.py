"""`papertape keys`: accounts and API keys, on a data directory or against a running exchange."""

from __future__ import annotations

import argparse
import datetime
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from exchange.cli.client import (
    DATA_DEFAULT,
    KEY_VARIABLE,
    Exchange,
    find_identity,
)
from exchange.cli.output import Failure, UsageError, print_json, table
from exchange.config import ADMIN_KEY_VARIABLE
from exchange.gateway.auth import kind_of
from exchange.storage.keys import PERMISSIONS, ApiKey, KeyFileVersion, KeyRefused, KeyStore
from exchange.wire import AccountOpenedSay, KeySay

FILE: Final = "keys.db"
DAY_MS: Final = 86_400_000
PREFIX_MIN: Final = 8  # Characters of a key that name it on the command line.

EXAMPLES: Final = """\
examples:
  papertape keys create                                another key for the demo's account
  papertape keys create --account 105 --permissions read --label dashboard
  papertape keys create --public-key bot.pem           Ed25519 or RSA: there is no secret to keep
  papertape keys create --url http://127.0.0.1:8080    a new account on a running exchange
  papertape keys list
  papertape keys revoke 3f9c01d2
  papertape keys admin                                 the admin key

Without --url the commands work on the key file of a data directory, beside a running exchange or
without one. With --url they ask a running exchange: with PAPERTAPE_KEY and PAPERTAPE_SECRET for
that key's account, otherwise for a new account."""


def add_commands(commands: Any) -> None:
    """Add `keys create`, `list`, `revoke` and `admin`."""
    keys = commands.add_parser(
        "keys",
        help="accounts and API keys",
        description="Make, list and revoke API keys.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = _action(actions, "create", "make a key; its secret is shown this once", run_create)
    create.add_argument("--account", type=int, help="whose key (default: the demo's account)")
    create.add_argument(
        "--permissions", default="read,trade,transfer", help="some of %(default)s (the default)"
    )
    create.add_argument("--public-key", metavar="F", help="PEM file of an Ed25519 or RSA key")
    create.add_argument(
        "--ip", action="append", default=[], help="address or network it works from; may repeat"
    )
    create.add_argument("--expires-days", type=int, metavar="N", help="days until it ends")
    create.add_argument("--label", default="", help="a name for people")
    listed = _action(actions, "list", "list keys, never their secrets", run_list)
    listed.add_argument("--account", type=int, help="those of one account")
    revoke = _action(actions, "revoke", "end a key for good", run_revoke)
    revoke.add_argument("key", help=f"the key, or its first {PREFIX_MIN} or more characters")
    _action(actions, "admin", "show the admin key of a data directory", run_admin, url=False)


def _action(
    actions: Any, name: str, about: str, run: Any, *, url: bool = True
) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=about, description=about)
    action.add_argument("--data", default=DATA_DEFAULT, help="data directory (%(default)s)")
    if url:
        action.add_argument("--url", help="ask a running exchange instead")
    action.add_argument("--json", action="store_true", help="print one JSON object")
    action.set_defaults(run=run)
    return action


# -- create ------------------------------------------------------------------------------------


def run_create(args: argparse.Namespace) -> int:
    """Make a key."""
    said = _create_online(args) if args.url else _create_offline(args)
    if args.json:
        print_json(said)
        return 0
    print(f"account  {said['account_id']}\nkey      {said['api_key']}")
    if said.get("api_secret"):
        print(f"secret   {said['api_secret']}\n\nThe secret is shown this once.")
    return 0


def _create_offline(args: argparse.Namespace) -> dict[str, Any]:
    with closing(_store(args)) as store:
        account_id = args.account
        if account_id is None:
            demo = store.demo_key()
            if demo is None:
                raise UsageError("name the --account: there is no demo account here")
            account_id = demo.account_id
        try:
            made = store.create(
                account_id,
                permissions=permissions(args.permissions),
                public_key=public_key(args.public_key),
                ips=args.ip,
                expires_ms=_expires_ms(args.expires_days),
                label=args.label,
            )
        except KeyRefused as error:
            raise Failure(str(error)) from None
    return _key_dict(made) | {"api_secret": made.secret}


def _create_online(args: argparse.Namespace) -> dict[str, Any]:
    if KEY_VARIABLE not in os.environ:
        _refuse_for_new_account(args)
        admin_key = os.environ.get(ADMIN_KEY_VARIABLE, "")
        fields = {"label": args.label}
        opened = Exchange(args.url, admin_key=admin_key).post(
            "/v1/accounts", fields, AccountOpenedSay
        )
        return {
            "account_id": opened.account_id,
            "api_key": opened.api_key,
            "api_secret": opened.api_secret,
        }
    fields_of_key: dict[str, Any] = {
        "permissions": sorted(permissions(args.permissions)),
        "public_key": public_key(args.public_key),
        "ips": args.ip,
        "expires_ms": _expires_ms(args.expires_days),
        "label": args.label,
    }
    asked = {name: value for name, value in fields_of_key.items() if value is not None}
    exchange = Exchange.of(find_identity(args.data, args.url))
    made = exchange.post("/v1/keys", asked, KeySay)
    if args.account is not None and args.account != made.account_id:
        raise Failure(f"{KEY_VARIABLE} speaks for account {made.account_id}, not {args.account}")
    return {
        "account_id": made.account_id,
        "api_key": made.api_key,
        "api_secret": made.api_secret or "",
    }


def _refuse_for_new_account(args: argparse.Namespace) -> None:
    """A new account's first key is whole; what would limit it belongs to a second one."""
    given = (args.account, args.public_key, args.expires_days)
    if any(value is not None for value in given) or args.ip or _limited(args.permissions):
        raise UsageError(
            f"without {KEY_VARIABLE} a new account is opened, with a key that may do everything; "
            f"set {KEY_VARIABLE} and PAPERTAPE_SECRET to make another key for an account"
        )


def _limited(text: str) -> bool:
    return permissions(text) != PERMISSIONS


def permissions(text: str) -> frozenset[str]:
    """Permissions from a list with commas."""
    named = frozenset(part.strip() for part in text.split(",") if part.strip())
    if not named or named - PERMISSIONS:
        raise UsageError(f"--permissions are some of {', '.join(sorted(PERMISSIONS))}")
    return named


def public_key(file: str | None) -> str | None:
    """The PEM text in a file."""
    if file is None:
        return None
    try:
        return Path(file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file}: {error}") from None


def _expires_ms(days: int | None) -> int | None:
    if days is None:
        return None
    if days < 1:
        raise UsageError("--expires-days is at least 1")
    return time.time_ns() // 1_000_000 + days * DAY_MS


# -- list, revoke, admin -----------------------------------------------------------------------


def run_list(args: argparse.Namespace) -> int:
    """List keys."""
    if args.url:
        exchange = Exchange.of(find_identity(args.data, args.url))
        rows = [_said_dict(key) for key in exchange.get("/v1/keys", list[KeySay])]
    else:
        with closing(_store(args)) as store:
            rows = [_key_dict(key) for key in store.list(args.account)]
    if args.json:
        print_json({"keys": rows})
        return 0
    head = ("key", "account", "kind", "permissions", "label", "made", "ends", "state")
    drawn = [
        (
            f"{row['api_key'][:16]}…",
            str(row["account_id"]),
            row["kind"],
            ",".join(row["permissions"]),
            row["label"] or "-",
            _day(row["created_ms"]),
            _day(row["expires_ms"]),
            "revoked" if row["revoked"] else "works",
        )
        for row in rows
    ]
    print(table(head, drawn, left=len(head)) if drawn else "no keys")
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke a key."""
    if args.url:
        exchange = Exchange.of(find_identity(args.data, args.url))
        known = [key.api_key for key in exchange.get("/v1/keys", list[KeySay])]
        key = _named(args.key, known)
        exchange.delete("/v1/keys", {"api_key": key}, dict[str, Any])
    else:
        with closing(_store(args)) as store:
            key = _named(args.key, [one.key for one in store.list() if not one.revoked])
            store.revoke(key)
    if args.json:
        print_json({"api_key": key, "revoked": True})
    else:
        print(f"{key} works no more")
    return 0


def run_admin(args: argparse.Namespace) -> int:
    """Show the admin key."""
    with closing(_store(args)) as store:
        key = store.admin_key()
    if args.json:
        print_json({"admin_key": key})
    else:
        print(key)
    return 0


def _named(text: str, known: list[str]) -> str:
    """The one key that text names, whole or by its beginning."""
    if text in known:
        return text
    found = [key for key in known if len(text) >= PREFIX_MIN and key.startswith(text)]
    if len(found) != 1:
        many = "more than one key begins" if found else "no working key begins"
        raise Failure(f"{many} with {text!r}; `papertape keys list --json` shows them whole")
    return found[0]


def _store(args: argparse.Namespace) -> KeyStore:
    path = Path(args.data) / FILE
    if not path.exists():
        raise Failure(f"{path} is not there: start the exchange once, or name it with --data")
    try:
        return KeyStore.open(path)
    except (KeyFileVersion, sqlite3.Error, OSError) as error:
        raise Failure(f"{path}: {error}") from None


def _key_dict(key: ApiKey) -> dict[str, Any]:
    return {
        "api_key": key.key,
        "account_id": key.account_id,
        "kind": kind_of(key),
        "permissions": sorted(key.permissions),
        "label": key.label,
        "created_ms": key.created_ms,
        "expires_ms": key.expires_ms,
        "ips": list(key.ips),
        "revoked": key.revoked,
    }


def _said_dict(key: KeySay) -> dict[str, Any]:
    return {
        "api_key": key.api_key,
        "account_id": key.account_id,
        "kind": key.kind,
        "permissions": key.permissions,
        "label": key.label,
        "created_ms": key.created_ms,
        "expires_ms": key.expires_ms,
        "ips": key.ips,
        "revoked": False,
    }


def _day(ms: int | None) -> str:
    if ms is None:
        return "-"
    return datetime.datetime.fromtimestamp(ms / 1_000, datetime.UTC).strftime("%Y-%m-%d")
