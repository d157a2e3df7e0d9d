"""The person's signing key: where it lies, how it is made, read and used; and other people's public keys.

The private key is a PEM file that only its owner may read, beside the user's own settings. Nothing in a registry or in
a project's settings says which keys are trusted: see `collab_tui.protocol.trust`.

`cryptography` is imported here alone, and only when a key is made or used: its import takes 30 ms.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from collab_tui.config import user_config_file
from collab_tui.registry.append import UnusableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME: Final = "signing_key"
"""The file of the private key in the user's configuration folder."""

_PUBLIC: Final = re.compile(r"ed25519:([A-Za-z0-9+/]{43}=)")
_MAX_FILE: Final = 4096
_SAFELY: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class KeyFileError(UnusableError):
    """The signing key cannot be used or made; the text says why and what to do."""


class NoKeyError(KeyFileError):
    """There is no signing key yet."""


class PublicKey(NamedTuple):
    """The key by which a person's signatures are checked."""

    raw: bytes
    """32 bytes."""

    @property
    def id(self) -> str:
        """What a signed decision calls it: the first 16 hex digits of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @property
    def text(self) -> str:
        """As it is written in settings."""
        return f"ed25519:{base64.b64encode(self.raw).decode()}"

    def verifies(self, signature: str, data: bytes) -> bool:
        """The signature, in base64 as `sign` writes it, was made over these bytes with the private key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            given = base64.b64decode(signature, validate=True)
            Ed25519PublicKey.from_public_bytes(self.raw).verify(given, data)
        except (InvalidSignature, ValueError):
            return False
        return base64.b64encode(given).decode() == signature  # its last digit has bits that mean nothing


class SigningKey:
    """The person's private key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> str:
        """The signature over these bytes, in base64."""
        return base64.b64encode(self._private.sign(data)).decode()


def public_key(text: str) -> PublicKey:
    """The key written as `ed25519:BASE64`; raises `ValueError` for anything else."""
    match = _PUBLIC.fullmatch(text.strip())
    if match is None:
        raise ValueError("a public key is written ed25519: and 44 characters of base64, as `collab-tui key` shows it")
    try:
        return PublicKey(base64.b64decode(match[1], validate=True))
    except binascii.Error as error:
        raise ValueError(f"this public key is no base64: {error}") from error


class Keyring:
    """The folder of the person's signing key. Only `refresh`, `signing_key` and `make` touch the disk."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (user_config_file().parent if folder is None else folder) / NAME
        self.trouble: str | None = None
        """Why the key that is there cannot be used, as of the last `refresh`."""
        self._seen: tuple[int, ...] | None = None
        """What the file looked like at the last `refresh`; None: there was none."""
        self._public: PublicKey | None = None
        self.refresh()

    @property
    def has_key(self) -> bool:
        """There is a key, whether or not it can be used."""
        return self._seen is not None

    def refresh(self) -> bool:
        """Look whether the key is there, and forget the one that was, if it is another; True then."""
        try:
            status = os.lstat(self.path)
        except OSError:
            seen = None
        else:
            seen = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        if seen == self._seen:
            return False
        self._seen, self._public, self.trouble = seen, None, None
        return True

    def public(self) -> PublicKey | None:
        """The person's own public key; None when there is none that can be used. Reads the file once."""
        if self._public is None and self._seen is not None and self.trouble is None:
            try:
                self._public = self.signing_key().public
            except KeyFileError as error:
                self.trouble = str(error)
        return self._public

    def signing_key(self) -> SigningKey:
        """The private key, read afresh. Raises `NoKeyError` or `KeyFileError`."""
        return SigningKey(_parse(_read(self.path), self.path))

    def make(self) -> SigningKey:
        """Make a new key; one that is there is never overwritten. Raises `KeyFileError`."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            _write_new(self.path, pem)
        finally:
            self.refresh()
        return SigningKey(private)


def _parse(data: bytes, path: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path} holds no signing key that can be read; {_ANEW}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} holds a key of another kind than Ed25519; {_ANEW}")
    return key


_ANEW: Final = "move it away and run `collab-tui key make`"


def _read(path: Path) -> bytes:
    """The key file's bytes, if it is one that nobody else can read or could have put there."""
    try:
        if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
            raise OSError(errno.ELOOP, "a symbolic link")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _SAFELY)
    except FileNotFoundError as error:
        raise NoKeyError(f"there is no signing key {path}; `collab-tui key make` makes it") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise KeyFileError(f"{path} is a symbolic link; put the key itself there") from error
        raise KeyFileError(f"the signing key {path} cannot be read: {error.strerror}") from error
    try:
        _check(path, os.fstat(descriptor))
        return os.read(descriptor, _MAX_FILE)
    except OSError as error:
        raise KeyFileError(f"the signing key {path} cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _check(path: Path, status: os.stat_result) -> None:
    """Refuse what others could have read or written. Windows keeps others out of a user's folders by itself."""
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path} is not a regular file; {_ANEW}")
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{path} belongs to user {status.st_uid}, not to you; {_ANEW}")
    if status.st_mode & 0o077:
        raise KeyFileError(
            f"{path} can be read or written by others (mode {stat.S_IMODE(status.st_mode):04o}): "
            f"whoever read it can sign as you. Move it away and run `collab-tui key make`"
        )
    folder = os.stat(path.parent)
    if folder.st_uid not in (0, os.geteuid()) or (folder.st_mode & 0o022 and not folder.st_mode & stat.S_ISVTX):
        raise KeyFileError(f"others can put files into {path.parent}; run `chmod go-w {path.parent}` and look again")


def _write_new(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform != "win32":
            path.parent.chmod(0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600)
    except FileExistsError as error:
        raise KeyFileError(f"there is a signing key already: {path}. It is never overwritten") from error
    except OSError as error:
        raise KeyFileError(f"cannot make the signing key {path}: {error.strerror}") from error
    try:
        if sys.platform != "win32":
            os.fchmod(descriptor, 0o600)  # whatever the umask
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, "the disk is full")
        os.fsync(descriptor)
    except OSError as error:
        with suppress(OSError):  # nothing is better than half a key; the error itself is told
            path.unlink()
        raise KeyFileError(f"cannot write the signing key {path}: {error.strerror}") from error
    finally:
        os.close(descriptor)
