"""The page of the link in every message: notification preferences, plain HTML without a script."""

from html import escape

from chalicelib.domain.city.city import City
from chalicelib.domain.notifications.reachability import CHOICES, WAYS
from chalicelib.domain.row_types import Choice
from chalicelib.pages import one_tap_page
from chalicelib.services.people import preferences
from chalicelib.services.platform.catalogue import message_text

HEADERS = {**one_tap_page.HEADERS, "Cache-Control": "no-store"}


def ask(city: City, token: str, languages: tuple[str, ...], query: str) -> str:
    """The choices as buttons, with the present ones marked. Opening the page changes nothing."""
    held = preferences.choice(city.jurisdiction, token)
    return _page(city, city.choose_language(*languages), held, f"{token}/", query)


def chosen(city: City, token: str, wish: str, languages: tuple[str, ...], query: str) -> str:
    """Store a choice, and show the page."""
    held = preferences.choose(city.jurisdiction, token, wish)
    return _page(city, city.choose_language(*languages), held, "", query)


def _page(city: City, language: str, held: Choice, path: str, query: str) -> str:
    # Relative addresses, so that any stage prefix before them stays.
    def button(wish: str) -> str:
        here = wish in held.values()
        text = ("✓ " if here else "") + message_text(f"notices.{wish}", language, city)
        return (
            f'<form method="post" action="{escape(path + wish + query)}">'
            f'<button class="{"yes" if here else "no"}">{escape(text)}</button></form>'
        )

    content = "".join(map(button, CHOICES))
    how = escape(message_text("notices.how", language, city))
    content += f"<h2>{how}</h2>" + "".join(map(button, WAYS))
    return one_tap_page.page(city, language, "notices.title", content)
