"""Addresses and telephone numbers of people, taken out of texts that other systems wrote."""

import re

SHOWN = "[…]"
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"(?:\+62|\b0)8\d[\d\s.-]{6,12}\d\b|\+\d[\d\s.-]{8,14}\d\b")


def hidden(text: str) -> str:
    """The text with ``SHOWN`` in the place of every e-mail address and telephone number."""
    return _PHONE.sub(SHOWN, _MAIL.sub(SHOWN, text))
