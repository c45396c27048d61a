"""The page of the link in "your report was claimed": plain HTML with a button to end the claim."""

from datetime import datetime
from html import escape

from chalicelib.domain.report import Report
from chalicelib.pages import one_tap_page
from chalicelib.services.people import claiming

HEADERS = {**one_tap_page.HEADERS, "Cache-Control": "no-store"}


def ask(token: str, now: datetime) -> str:
    """What has happened, and the button. Nothing about the report: the reader may be a stranger."""
    report, open_ = claiming.read_undo_link(token, now)
    why = claiming.undo_link_kind(token, now)
    if not open_:
        return one_tap_page.of_report(report, f"{why}.subject", _p("claimed.over", report))
    # Relative to /v1/claims/<token>, so that any stage prefix before it stays.
    button = (
        f'<form method="post" action="{escape(token)}/undo">'
        f"<button>{escape(one_tap_page.words('claimed.undo', report))}</button></form>"
    )
    return one_tap_page.of_report(report, f"{why}.subject", _p(f"{why}.page", report) + button)


def undo(token: str, now: datetime) -> str:
    """End the claim, and show the secret with which a device can claim the report back."""
    report, _ = claiming.read_undo_link(token, now)
    outcome, title = claiming.undo(token, now), f"{claiming.undo_link_kind(token, now)}.subject"
    if outcome is None:
        return one_tap_page.of_report(report, title, _p("claimed.over", report))
    text = one_tap_page.words("claimed.undone", report, secret=outcome.answer["claim_secret"])
    return one_tap_page.of_report(report, title, f"<p>{escape(text)}</p>")


def _p(key: str, report: Report) -> str:
    return f"<p>{escape(one_tap_page.words(key, report))}</p>"
