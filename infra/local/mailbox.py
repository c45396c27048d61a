"""The e-mail, SMS and webhooks that citizens and officials would have received.

    for letter in messages(Path(".local")):
        print(letter["channel"], letter["to"], letter.get("subject"), letter["text"])

It reads the local stack's file, so it works in any process, with or without a running stack.
"""

from pathlib import Path
from typing import Any

from infra.emulator.store import Store


def messages(folder: Path, to: str | None = None) -> list[dict[str, Any]]:
    """Every letter, oldest first, or those to one address; for the fields see letters.py."""
    path = folder / "aws.sqlite"
    if not path.exists():
        return []
    store = Store(path)
    try:
        return [letter for letter in store.mail() if to in (None, letter["to"])]
    finally:
        store.close()


def as_text(letter: dict[str, Any]) -> str:
    """One letter as a person reads it."""
    lines = [f"{letter['at']}  {letter['channel']} to {letter['to']}"]
    if letter.get("subject"):
        lines.append(f"Subject: {letter['subject']}")
    lines += ["", letter.get("text") or letter.get("html", ""), "-" * 72]
    return "\n".join(lines)
