"""The one-tap page: plain HTML that works on the cheapest phone, without a script."""

from datetime import datetime
from html import escape

from chalicelib.services import answers, cities
from chalicelib.services.texts import say

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem}"
    "button{font:inherit;width:100%;min-height:3.5rem;margin:.5rem 0;border:2px solid #14532d;"
    "border-radius:.5rem;background:#14532d;color:#fff}button.no{background:#fff;color:#14532d}"
)


def ask(token: str, now: datetime) -> str:
    """The question with its two buttons, or that it has been answered."""
    question = answers.question(token, now)
    report = question.report
    language = report.language
    if not question.answerable:
        return _page(language, f"<p>{_say('page.answered', language)}</p>")
    city = cities.at(report.jurisdiction, report.city_version)
    about = say(
        "page.report",
        language,
        code=report.code,
        service=city.services[report.service].name[language],
        ward=city.areas[report.ward].name,
    )
    # Relative to /v1/answers/<token>, so that any stage prefix before it stays.
    buttons = "".join(
        f'<form method="post" action="{escape(token)}/{path}">'
        f'<button class="{look}">{_say(key, language)}</button></form>'
        for path, look, key in (
            ("repaired", "yes", "page.yes"),
            ("not-repaired", "no", "page.no"),
        )
    )
    return _page(language, f"<p>{escape(about)}</p>{buttons}")


def thanks(token: str, repaired: bool | None, now: datetime) -> str:
    """What the answer did; ``None``: nothing, since the report has moved on."""
    language = answers.question(token, now).report.language
    keys = {True: "page.thanks_yes", False: "page.thanks_no", None: "page.answered"}
    return _page(language, f"<p>{_say(keys[repaired], language)}</p>")


def _say(key: str, language: str) -> str:
    return escape(say(key, language))


def _page(language: str, content: str) -> str:
    return page(language, "page.title", content)


def page(language: str, title_key: str, content: str) -> str:
    """A whole page of this kind; ``content`` is HTML."""
    title = _say(title_key, language)
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{content}</main></body></html>"
    )
