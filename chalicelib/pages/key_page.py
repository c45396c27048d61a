"""The page at ``/open311/keys``: how an app's developer gets an API key, and where it is sent."""

from collections.abc import Iterable
from datetime import datetime
from html import escape

from chalicelib.domain.input import languages
from chalicelib.errors import Problem
from chalicelib.http.problems import LANGUAGES
from chalicelib.pages import one_tap_page
from chalicelib.services.city import cities
from chalicelib.services.identity import api_keys
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import message_text
from chalicelib.settings import settings

# Each is a paragraph of the page: "keys.<name>" in the messages.
_STEPS = ("write", "say", "send", "limits", "try")
_LINKS = ("/open311/discovery.json", "/docs")


def answer(jurisdiction: str, wanted: Iterable[str], now: datetime) -> tuple[str, dict[str, str]]:
    """(page, headers) in the best of the reader's languages."""
    try:
        city = cities.current(jurisdiction, now)
    except Problem:
        city = None
    spoken = city.languages if city else ()
    language = languages.first_offered((*wanted, *spoken), {*spoken, *LANGUAGES}) or LANGUAGES[0]
    own = city if city and language in city.languages else None

    def words(name: str) -> str:
        values = {"mail": settings().mail_from, "n": api_keys.PER_MINUTE}
        return escape(message_text(f"keys.{name}", language, own, **values))

    steps = "".join(f"<li>{words(name)}</li>" for name in _STEPS)
    addresses = [escape(urls.absolute(path)) for path in _LINKS]
    links = "".join(f'<li><a href="{address}">{address}</a></li>' for address in addresses)
    content = f"<p>{words('about')}</p><ol>{steps}</ol><ul>{links}</ul>"
    title = message_text("keys.title", language, own)
    headers = {**one_tap_page.HEADERS, "Content-Language": language}
    return one_tap_page.laid_out(language, title, content), headers
