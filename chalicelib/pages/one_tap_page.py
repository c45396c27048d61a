"""The one-tap page: plain HTML without a script, for any phone."""

from datetime import datetime
from html import escape
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.services.city import cities
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import message_text
from chalicelib.services.reports import one_tap

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:anywhere}"
    "button{font:inherit;width:100%;min-height:3.5rem;margin:.5rem 0;border:2px solid #14532d;"
    "border-radius:.5rem;background:#14532d;color:#fff}button.no{background:#fff;color:#14532d}"
)


def ask(token: str, now: datetime) -> str:
    """The question with its two buttons, or a note that it has been answered."""
    question = one_tap.question(token, now)
    report = question.report
    if not question.answerable:
        return _over(question)
    city = cities.at(report.jurisdiction, report.city_version)
    about = words(
        "page.report",
        report,
        code=report.code,
        service=city.text(city.services[report.service].name, report.language),
        ward=city.areas[report.ward].name,
    )
    # Relative to /v1/answers/<token>, so that any stage prefix before it stays.
    buttons = "".join(
        f'<form method="post" action="{escape(token)}/{path}">'
        f'<button class="{look}">{_say(key, report)}</button></form>'
        for path, look, key in (
            ("repaired", "yes", "page.settled_yes" if question.closed else "page.yes"),
            ("not-repaired", "no", "page.settled_no" if question.closed else "page.no"),
        )
    )
    title = "page.settled" if question.closed else "page.title"
    return of_report(report, title, f"<p>{escape(about)}</p>{buttons}")


def thanks(token: str, repaired: bool | None, now: datetime) -> str:
    """The page after an answer; ``None``: it had no effect, because the report has changed."""
    question = one_tap.question(token, now)
    if repaired is None:
        return _over(question)
    keys = {True: "page.thanks_yes", False: "page.thanks_no"}
    if question.closed:
        keys[True] = "page.stays"
    said = _say(keys[repaired], question.report)
    return of_report(question.report, "page.recorded", f"<p>{said}</p>")


def _over(question: one_tap.OneTapQuestion) -> str:
    """The page that says why the question can no longer be answered, and where a merged report
    goes on."""
    report = question.report
    if question.goes_on is None:
        return of_report(report, "page.over", f"<p>{_say('page.answered', report)}</p>")
    code = question.goes_on.code
    link = escape(urls.in_city(report.jurisdiction, f"/v1/track/{code}"))
    key = "page.merged" if question.goes_on.open else "page.merged_closed"
    said = escape(words(key, report, code=code))
    content = f'<p>{said}</p><p><a href="{link}">{link}</a></p>'
    return of_report(report, "page.over", content)


def words(key: str, report: Report, **values: Any) -> str:
    """A text for a report's reporter, in the language that they filed in."""
    city = cities.at(report.jurisdiction, report.city_version)
    return message_text(key, report.language, city, **values)


def _say(key: str, report: Report) -> str:
    return escape(words(key, report))


def of_report(report: Report, title_key: str, content: str) -> str:
    """A page for a report's reporter, in the language that they filed in."""
    city = cities.at(report.jurisdiction, report.city_version)
    return page(city, report.language, title_key, content)


def page(city: City, language: str, title_key: str, content: str) -> str:
    """A whole page in a language of the city; ``content`` is HTML."""
    return laid_out(
        city.choose_language(language), message_text(title_key, language, city), content
    )


def refused(language: str, title: str, said: str, city: City | None) -> str:
    """An error page: what is wrong with the link, and what to do."""
    texts = [said, message_text("page.help", language, city)]
    content = "".join(f"<p>{escape(text)}</p>" for text in texts if text)
    return laid_out(language, title, content)


def laid_out(language: str, title: str, content: str) -> str:
    """The HTML document of a page; ``content`` is HTML, ``title`` is plain text."""
    title = escape(title)
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{content}</main></body></html>"
    )
