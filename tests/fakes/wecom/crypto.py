"""Callback encryption, twice: in Python, and by Tencent's own npm package in a node process.

Protocol sheet 1.3 and 1.4.  Independent of the program's code on purpose.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shutil
import string
import subprocess
import threading
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_ROOT = Path(__file__).resolve().parents[3]
NODE_PACKAGE = _ROOT / ".venv" / "node" / "node_modules" / "@wecom" / "crypto"


class Box(Protocol):
    name: str

    def encrypt(self, aes_key: str, message: str, receive_id: str, random: bytes) -> str: ...

    def decrypt(self, aes_key: str, cipher: str) -> tuple[str, str]:
        """Message and receive id."""
        ...

    def sign(self, token: str, timestamp: str, nonce: str, cipher: str) -> str: ...

    def close(self) -> None: ...


class PythonBox:
    name = "python"

    def encrypt(self, aes_key: str, message: str, receive_id: str, random: bytes) -> str:
        return seal(aes_key, pad(layout(message.encode(), receive_id.encode(), random)))

    def decrypt(self, aes_key: str, cipher: str) -> tuple[str, str]:
        plain = unseal(aes_key, cipher)
        filling = plain[-1]
        if not 1 <= filling <= 32 or plain[-filling:] != bytes([filling]) * filling:
            raise ValueError("bad padding")
        plain = plain[:-filling]
        length = int.from_bytes(plain[16:20], "big")
        if 20 + length > len(plain):
            raise ValueError("bad length")
        return plain[20 : 20 + length].decode(), plain[20 + length :].decode()

    def sign(self, token: str, timestamp: str, nonce: str, cipher: str) -> str:
        parts = sorted(one.encode() for one in (token, timestamp, nonce, cipher))
        return hashlib.sha1(b"".join(parts)).hexdigest()

    def close(self) -> None:
        """Nothing is open."""


class NodeBox:
    """``@wecom/crypto`` in one long-lived child: a JSON line in, a JSON line out."""

    name = "node"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None  # started by the first question

    def encrypt(self, aes_key: str, message: str, receive_id: str, random: bytes) -> str:
        drawn = base64.b64encode(random).decode()
        return str(
            self._ask(do="encrypt", key=aes_key, message=message, id=receive_id, random=drawn)
        )

    def decrypt(self, aes_key: str, cipher: str) -> tuple[str, str]:
        found = self._ask(do="decrypt", key=aes_key, cipher=cipher)
        return found["message"], found["id"]

    def sign(self, token: str, timestamp: str, nonce: str, cipher: str) -> str:
        parts = {"token": token, "timestamp": timestamp, "nonce": nonce, "cipher": cipher}
        return str(self._ask(do="sign", **parts))

    def close(self) -> None:
        with self._lock:
            if self._child is None:
                return
            assert self._child.stdin and self._child.stdout
            self._child.stdin.close()  # the child ends when its input does
            self._child.wait(10)
            self._child.stdout.close()
            self._child = None

    def _start(self) -> subprocess.Popen[str]:
        script = Path(__file__).with_name("crypto_child.cjs")
        return subprocess.Popen(
            [shutil.which("node") or "node", str(script), str(NODE_PACKAGE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def _ask(self, **question: str) -> Any:
        with self._lock:
            self._child = child = self._child or self._start()
            assert child.stdin and child.stdout
            child.stdin.write(json.dumps(question) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        if not line:
            raise RuntimeError("the node process ended")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["answer"]


def node_missing() -> str:
    """Why the npm package cannot be used here; '' when it can."""
    if not shutil.which("node"):
        return "no node here"
    if not (NODE_PACKAGE / "package.json").is_file():
        return "@wecom/crypto is not installed in .venv/node (the script check does it)"
    return ""


def open_box(kind: str = "auto") -> Box:
    """``auto``: node where it can be had."""
    if kind == "node" or (kind == "auto" and not node_missing()):
        return NodeBox()
    return PythonBox()


# --- parts, also for forging ------------------------------------------------------------------


def layout(message: bytes, receive_id: bytes, random: bytes, length: int | None = None) -> bytes:
    size = len(message) if length is None else length
    return random + size.to_bytes(4, "big") + message + receive_id


def pad(plain: bytes) -> bytes:
    filling = 32 - len(plain) % 32
    return plain + bytes([filling]) * filling


def seal(aes_key: str, padded: bytes) -> str:
    key = _key(aes_key)
    machine = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(machine.update(padded) + machine.finalize()).decode()


def unseal(aes_key: str, cipher: str) -> bytes:
    key = _key(aes_key)
    machine = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    return machine.update(base64.b64decode(cipher, validate=True)) + machine.finalize()


def new_aes_key() -> str:
    """43 letters and digits, as the admin console draws them (the last one's spare bits vary)."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(43))


def _key(aes_key: str) -> bytes:
    key = base64.b64decode(aes_key + "=")
    if len(key) != 32:
        raise ValueError("an EncodingAESKey has 43 characters")
    return key
