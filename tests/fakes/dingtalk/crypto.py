"""Signatures and the encryption of events, written after the protocol sheet (1.1, 4.6, 5.4, 7.1)
and independent of the program's own code and of dingtalk-sdk."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32


def robot_sign(secret: str, timestamp: str) -> str:
    """Of a robot message in HTTP mode, and of a custom robot's address."""
    return _mac(secret, f"{timestamp}\n{secret}")


def card_sign(api_secret: str, timestamp: str) -> str:
    return _mac(api_secret, timestamp)


def _mac(key: str, message: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), message.encode(), "sha256")).decode()


def event_sign(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    joined = "".join(sorted([token, timestamp, nonce, encrypted]))
    return hashlib.sha1(joined.encode()).hexdigest()


def encrypt(aes_key: str, owner: str, text: str, random: bytes) -> str:
    """``random``: the 16 bytes in front."""
    content = text.encode()
    plain = random + len(content).to_bytes(4, "big") + content + owner.encode()
    filling = _BLOCK - len(plain) % _BLOCK
    made = _cipher(aes_key).encryptor()
    return base64.b64encode(
        made.update(plain + bytes([filling]) * filling) + made.finalize()
    ).decode()


def decrypt(aes_key: str, owner: str, encrypted: str) -> str:
    """Raises ValueError for anything that is not addressed to ``owner``."""
    made = _cipher(aes_key).decryptor()
    plain = made.update(base64.b64decode(encrypted, validate=True)) + made.finalize()
    filling = plain[-1]
    if not 1 <= filling <= _BLOCK or plain[-filling:] != bytes([filling]) * filling:
        raise ValueError("bad padding")
    plain = plain[:-filling]
    end = 20 + int.from_bytes(plain[16:20], "big")
    if plain[end:] != owner.encode():
        raise ValueError(f"for somebody else: {plain[end:]!r}")
    return plain[20:end].decode()


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    if len(key) != 32:
        raise ValueError("an aes_key has 43 characters")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
