"""Keys on the command line, offline and online."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.cli.commands import main
from exchange.storage.keys import KeyStore
from tests.exchange.gateway.rig import Trader, running


class Shell:
    """Runs commands, and keeps what they printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.err = ""

    def __call__(self, *words: str, code: int = 0) -> str:
        assert main(["keys", *words]) == code
        out, self.err = self._capsys.readouterr()
        return out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def shell(capsys, monkeypatch) -> Shell:
    for name in ("URL", "KEY", "SECRET", "ADMIN_KEY"):
        monkeypatch.delenv(f"PAPERTAPE_{name}", raising=False)
    return Shell(capsys)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A data directory with a demo key for account 100."""
    store = KeyStore.open(tmp_path / "keys.db")
    store.store_demo_key(store.create(100, label="demo"))
    store.close()
    return str(tmp_path)


def test_a_key_is_made_for_the_demo_account_and_listed_without_its_secret(
    shell: Shell, data: str
) -> None:
    made = shell.json("create", "--data", data, "--permissions", "read", "--label", "dash")
    assert (made["account_id"], made["permissions"]) == (100, ["read"])
    assert made["api_secret"]
    listed = shell.json("list", "--data", data)["keys"]
    assert [key["label"] for key in listed] == ["demo", "dash"]
    assert made["api_secret"] not in json.dumps(listed)
    drawn = shell("list", "--data", data)
    assert "dash" in drawn
    assert "works" in drawn


def test_the_secret_is_shown_once(shell: Shell, data: str) -> None:
    out = shell("create", "--data", data, "--account", "105")
    assert "account  105" in out
    assert "secret   " in out


def test_a_key_may_have_addresses_an_end_and_a_public_key(
    shell: Shell, data: str, tmp_path: Path
) -> None:
    public = Ed25519PrivateKey.generate().public_key()
    pem = tmp_path / "bot.pem"
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    made = shell.json(
        *("create", "--data", data, "--public-key", str(pem), "--ip", "10.0.0.1"),
        *("--expires-days", "7"),
    )
    assert (made["kind"], made["api_secret"], made["ips"]) == ("ed25519", "", ["10.0.0.1"])
    assert made["expires_ms"] > made["created_ms"] + 6 * 86_400_000


def test_a_key_is_revoked_by_its_beginning(shell: Shell, data: str) -> None:
    key = shell.json("list", "--data", data)["keys"][0]["api_key"]
    assert "works no more" in shell("revoke", key[:12], "--data", data)
    assert shell.json("list", "--data", data)["keys"][0]["revoked"] is True
    shell("revoke", key, "--data", data, code=1)
    assert "no working key begins" in shell.err


def test_the_admin_key_is_shown_and_stays(shell: Shell, data: str) -> None:
    first = shell("admin", "--data", data)
    assert len(first.strip()) == 64
    assert shell.json("admin", "--data", data) == {"admin_key": first.strip()}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("create", "--permissions", "withdraw"), 2, "--permissions"),
        (("create", "--expires-days", "0"), 2, "--expires-days"),
        (("create", "--ip", "nowhere"), 1, "nowhere"),
        (("create", "--public-key", "no-such-file.pem"), 1, "no-such-file.pem"),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    shell: Shell, data: str, words: tuple[str, ...], code: int, text: str
) -> None:
    shell(*words, "--data", data, code=code)
    assert text in shell.err


def test_without_a_key_file_it_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    shell("list", "--data", str(tmp_path), code=1)
    assert "start the exchange once" in shell.err
    KeyStore.open(tmp_path / "keys.db").close()
    shell("create", "--data", str(tmp_path), code=2)
    assert "--account" in shell.err


async def test_a_running_exchange_opens_accounts_and_makes_keys(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as rig:
        opened = await asyncio.to_thread(shell.json, "create", "--url", rig.url)
        trader = Trader(rig, opened["account_id"], opened["api_key"], opened["api_secret"])
        assert (await trader.ask("GET", "/v1/account")).status == 200
        await asyncio.to_thread(
            lambda: shell("create", "--url", rig.url, "--account", "100", code=2)
        )
        monkeypatch.setenv("PAPERTAPE_KEY", trader.key)
        monkeypatch.setenv("PAPERTAPE_SECRET", trader.secret)
        words = ("create", "--url", rig.url, "--permissions", "read", "--label", "second")
        made = await asyncio.to_thread(shell.json, *words)
        assert made["account_id"] == trader.account_id
        listed = await asyncio.to_thread(shell.json, "list", "--url", rig.url)
        assert {key["label"] for key in listed["keys"]} == {"", "second"}
        revoke = ("revoke", made["api_key"][:10], "--url", rig.url)
        assert (await asyncio.to_thread(shell.json, *revoke))["revoked"] is True
        assert rig.doors.keys.get(made["api_key"]) is None
