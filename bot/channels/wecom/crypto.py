"""The cipher of WeCom's callbacks (protocol sheet 1.4).

Our own on ``cryptography``: wechatpy 1.8.18 compares signatures in time that depends on them, does
not look at the padding, and lets half a dozen kinds of exceptions out (sheet section 9).  The tests
hold the two against each other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sales.errors import BotError

_BLOCK: Final = 16  # of AES
_PAD: Final = 32  # WeCom pads to twice that
_RANDOM: Final = 16


class Refused(BotError):
    """Not from WeCom, or not for us.  ``reason`` is a code, ``status`` what the caller is told."""

    code = "callback_refused"

    def __init__(self, reason: str, *, status: int = 403) -> None:
        super().__init__(reason, reason=reason)
        self.reason = reason
        self.status = status


class BadKey(BotError):
    """The EncodingAESKey is not 43 letters and digits."""

    code = "bad_aes_key"


def unpad(data: bytes) -> bytes:
    """Take PKCS#7 padding to 32 bytes away.  Raises ValueError when it is not whole."""
    size = data[-1] if data else 0
    if not 1 <= size <= _PAD or data[-size:] != bytes([size]) * size:
        raise ValueError("padding")
    return data[:-size]


class Box:
    """AES-256-CBC with the key's own start as the vector, padded to 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:_BLOCK]))

    def open(self, data: bytes) -> bytes:
        """Raises ValueError."""
        if not data or len(data) % _BLOCK:
            raise ValueError("length")
        opened = self._cipher.decryptor()
        return unpad(opened.update(data) + opened.finalize())

    def close(self, data: bytes) -> bytes:
        size = _PAD - len(data) % _PAD
        closed = self._cipher.encryptor()
        return closed.update(data + bytes([size]) * size) + closed.finalize()


def key_bytes(aes_key: str) -> bytes:
    """The 32 bytes behind an EncodingAESKey; spare bits at its end do not matter.

    Raises:
        BadKey: it has no 43 characters of base64.
    """
    try:
        # Not strict: some keys that the platform makes have spare bits set at their end.
        key = base64.b64decode(aes_key.strip() + "=", validate=False)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32 or len(aes_key.strip()) != 43:
        raise BadKey("EncodingAESKey")
    return key


class Codec:
    """Signature and cipher of one app; *receiver* is the corp id."""

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        self._token = token
        self._box = Box(key_bytes(aes_key))
        self._receiver = receiver.encode()

    def sign(self, timestamp: str, nonce: str, sealed: str) -> str:
        given = (self._token, timestamp, nonce, sealed)
        parts = sorted(part.encode("utf-8", "replace") for part in given)
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def open(self, sealed: str, *, signature: str, timestamp: str, nonce: str) -> bytes:
        """The message inside *sealed*.

        Raises:
            Refused: ``signature``, ``cipher`` (the key differs, or bytes were changed), ``corp``.
        """
        wanted = self.sign(timestamp, nonce, sealed).encode()
        if not hmac.compare_digest(wanted, signature.encode("utf-8", "replace")):
            raise Refused("signature")
        try:
            plain = self._box.open(base64.b64decode(sealed))
            (size,) = struct.unpack_from(">I", plain, _RANDOM)
        except (ValueError, struct.error):  # binascii.Error is a ValueError
            raise Refused("cipher") from None
        start = _RANDOM + 4
        if start + size > len(plain):
            raise Refused("cipher")
        if not hmac.compare_digest(plain[start + size :], self._receiver):
            raise Refused("corp")
        return plain[start : start + size]

    def seal(self, message: bytes, *, random: bytes = b"") -> str:
        """The reverse: what WeCom would send.  *random*: 16 bytes, made up when not given."""
        head = (random or os.urandom(_RANDOM)) + struct.pack(">I", len(message))
        return base64.b64encode(self._box.close(head + message + self._receiver)).decode()
