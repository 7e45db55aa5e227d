"""The one hash behind every key made in Python."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def content_hash(*parts: Any) -> str:
    """A sha256 hex that is equal exactly when the parts are: they are told apart by JSON, not by a separator."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def bytes_hash(data: bytes) -> str:
    """The sha256 hex of the bytes."""
    return hashlib.sha256(data).hexdigest()
