"""Texts of strangers as a table can store them."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text with ? for each half of a character, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
