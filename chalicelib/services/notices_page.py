"""The page behind the link in every message: what to hear and how, in plain HTML, no script."""

from html import escape

from chalicelib.domain.reach import CHOICES, WAYS
from chalicelib.services import notices, tap_page
from chalicelib.services.texts import say

HEADERS = {**tap_page.HEADERS, "Cache-Control": "no-store"}


def ask(jurisdiction: str, token: str, language: str, query: str) -> str:
    """The choices as buttons, the present ones marked; opening the page changes nothing."""
    return _page(token, language, notices.choice(jurisdiction, token), f"{token}/", query)


def chosen(jurisdiction: str, token: str, wish: str, language: str, query: str) -> str:
    """Keep a choice, and show the page as it is then."""
    return _page(token, language, notices.choose(jurisdiction, token, wish), "", query)


def _page(token: str, language: str, held: dict[str, str], path: str, query: str) -> str:
    # Relative addresses, so that any stage prefix before them stays.
    def button(wish: str) -> str:
        here = wish in held.values()
        text = ("✓ " if here else "") + say(f"notices.{wish}", language)
        return (
            f'<form method="post" action="{escape(path + wish + query)}">'
            f'<button class="{"yes" if here else "no"}">{escape(text)}</button></form>'
        )

    content = "".join(map(button, CHOICES))
    how = escape(say("notices.how", language))
    content += f"<h2>{how}</h2>" + "".join(map(button, WAYS))
    return tap_page.page(language, "notices.title", content)
