"""The file of the signing key (A03): made for its owner alone, and refused when anybody else could have had it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from collab_tui.protocol import keys
from collab_tui.protocol.keys import KeyFileError, Keyring, NoKeyError, PublicKey, public_key
from tests.signing import KEY, OTHER_KEY, install_key, pem

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps others out of a user's folders by itself")


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "config")


def test_there_is_none_until_it_is_made(keyring: Keyring) -> None:
    assert (keyring.has_key, keyring.public()) == (False, None)
    with pytest.raises(NoKeyError, match="`collab-tui key make` makes it"):
        keyring.signing_key()
    made = keyring.make()
    assert keyring.has_key
    assert keyring.public() == made.public == keyring.signing_key().public
    assert Keyring(keyring.path.parent).public() == made.public


def test_it_is_never_overwritten(keyring: Keyring) -> None:
    keyring.make()
    before = keyring.path.read_bytes()
    with pytest.raises(KeyFileError, match=r"there is a signing key already: .* It is never overwritten"):
        keyring.make()
    assert keyring.path.read_bytes() == before
    assert keyring.public() is not None


@unix
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777, 0o002])
def test_only_its_owner_may_read_it_whatever_the_umask(keyring: Keyring, umask: int) -> None:
    keyring.path.parent.mkdir()
    keyring.path.parent.chmod(0o755)
    before = os.umask(umask)
    try:
        keyring.make()
    finally:
        os.umask(before)
    assert stat.S_IMODE(keyring.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keyring.path.parent.stat().st_mode) == 0o700


@unix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601, 0o660])
def test_one_that_others_may_read_or_write_is_refused(keyring: Keyring, mode: int) -> None:
    keyring.make()
    keyring.path.chmod(mode)
    keyring.refresh()
    with pytest.raises(KeyFileError, match=rf"can be read or written by others \(mode {mode:04o}\)"):
        keyring.signing_key()
    assert (keyring.has_key, keyring.public()) == (True, None)
    assert "others" in (keyring.trouble or "")


@unix
def test_a_symbolic_link_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    target = install_key(tmp_path / "elsewhere").path
    keyring.path.parent.mkdir()
    keyring.path.symlink_to(target)
    with pytest.raises(KeyFileError, match="is a symbolic link"):
        keyring.signing_key()
    with pytest.raises(KeyFileError, match="there is a signing key already"):
        keyring.make()
    assert target.read_bytes() == pem()


@unix
def test_a_dangling_link_is_not_followed_when_the_key_is_made(keyring: Keyring, tmp_path: Path) -> None:
    keyring.path.parent.mkdir()
    keyring.path.symlink_to(tmp_path / "nothing")
    with pytest.raises(KeyFileError, match="there is a signing key already"):
        keyring.make()
    assert not (tmp_path / "nothing").exists()


@unix
def test_another_owners_file_is_refused(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring.make()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(KeyFileError, match=f"belongs to user {os.getuid()}, not to you"):
        keyring.signing_key()


@unix
def test_a_folder_that_others_may_write_to_is_refused(keyring: Keyring) -> None:
    keyring.make()
    keyring.path.parent.chmod(0o770)
    with pytest.raises(KeyFileError, match=r"others can put files into .*; run `chmod go-w"):
        keyring.signing_key()


@unix
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "fifo"])
def test_what_is_no_file_is_refused_without_waiting(keyring: Keyring, make: Callable[[Path], None]) -> None:
    keyring.path.parent.mkdir()
    make(keyring.path)
    with pytest.raises(KeyFileError, match=r"is not a regular file|cannot be read"):
        keyring.signing_key()


def as_another_user(action: Callable[[], object]) -> str:
    """Really another user, not a pretended one: what the action raised in a process of theirs."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        try:
            os.write(tell, repr(action()).encode())
        except KeyFileError as error:
            os.write(tell, str(error).encode())
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(told, "rb") as pipe:
        return pipe.read().decode()


@unix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_can_neither_read_nor_make_it() -> None:
    with tempfile.TemporaryDirectory() as name:  # not below the tests' own, which nobody else may enter
        Path(name).chmod(0o755)
        folder = Path(name) / "config"
        keyring = Keyring(folder)
        keyring.make()
        folder.chmod(0o755)
        assert (
            as_another_user(keyring.signing_key) == f"the signing key {keyring.path} cannot be read: Permission denied"
        )
        other = Keyring(folder / "below")
        assert as_another_user(other.make) == f"cannot make the signing key {other.path}: Permission denied"
        assert not other.path.parent.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds no signing key that can be read"),
        (b"-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n", "holds no signing key that can be read"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "another kind than Ed25519"),
        (os.urandom(5000), "holds no signing key that can be read"),
    ],
    ids=["empty", "half", "another kind", "noise"],
)
def test_what_is_no_ed25519_key_is_refused(keyring: Keyring, content: bytes, why: str) -> None:
    keyring.path.parent.mkdir(mode=0o700)
    keyring.path.write_bytes(content)
    keyring.path.chmod(0o600)
    with pytest.raises(KeyFileError, match=why) as refused:
        keyring.signing_key()
    assert "move it away and run `collab-tui key make`" in str(refused.value)


def test_half_a_key_is_not_left_behind(keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", lambda descriptor, data: 7)
    with pytest.raises(KeyFileError, match="the disk is full"):
        keyring.make()
    monkeypatch.undo()
    assert not keyring.path.exists()
    assert keyring.make()


def test_a_key_that_comes_goes_or_changes_is_seen_at_the_next_look(keyring: Keyring) -> None:
    made = keyring.make()
    assert keyring.public() == made.public
    keyring.path.unlink()
    assert keyring.public() == made.public  # no disk is touched in between
    keyring.refresh()
    assert (keyring.has_key, keyring.public()) == (False, None)
    install_key(keyring.path.parent)
    keyring.refresh()
    assert keyring.public() == KEY.public


def test_a_public_key_as_text() -> None:
    assert public_key(KEY.public.text) == KEY.public
    assert KEY.public.text.startswith("ed25519:")
    assert len(KEY.public.id) == 16
    for text in ("", "ed25519:", KEY.public.text[8:], KEY.public.text + "=", KEY.public.text[:-2], "rsa:" + "A" * 44):
        with pytest.raises(ValueError, match="public key"):
            public_key(text)


def test_a_signature_is_checked_with_the_public_key_alone() -> None:
    signature = KEY.sign(b"words")
    assert PublicKey(KEY.public.raw).verifies(signature, b"words")
    assert not KEY.public.verifies(signature, b"word")
    assert not OTHER_KEY.public.verifies(signature, b"words")
    last = signature[-3]  # of its six bits four mean nothing
    spelled_otherwise = signature[:-3] + chr(ord(last) + 1) + "=="
    for broken in ("", "AAAA", signature[:-4], "é" * 88, signature.replace("=", "!"), spelled_otherwise):
        assert not KEY.public.verifies(broken, b"words")


def test_cryptography_is_imported_only_when_a_key_is_used(tmp_path: Path) -> None:
    """The board's start must not pay for it."""
    code = (
        "import sys, pathlib; from collab_tui.protocol.trust import Trust;"
        "from collab_tui.protocol.keys import Keyring;"
        "import collab_tui.tui.app, collab_tui.cli.status, collab_tui.cli.decide, collab_tui.cli.emit;"
        "trust = Trust('human', keyring=Keyring(pathlib.Path(sys.argv[1]))); assert trust.has_key;"
        "print(*(name for name in sys.modules if name.startswith('cryptography')))"
    )
    install_key(tmp_path / "config")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "config")], capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.stdout, done.stderr) == ("\n", "")


def test_an_all_zero_public_key_signs_nothing() -> None:
    assert not PublicKey(bytes(32)).verifies(KEY.sign(b"x"), b"x")


def test_the_key_lies_in_the_users_own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "mine"))
    assert Keyring().path == tmp_path / "mine" / keys.NAME
