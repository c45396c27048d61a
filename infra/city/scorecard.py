"""A month's ranking for a terminal, with intervals."""

from contextlib import suppress
from typing import Any

from chalicelib.domain.principal import Grant, Principal
from chalicelib.errors import Problem


def rankings(month: str, jurisdiction: str | None = None) -> list[str]:
    """The rankings of a month (``YYYYMM``) as texts, with an auditor's rights: of one city, or of
    every city that has one."""
    from chalicelib import clock
    from chalicelib.services.city import cities
    from chalicelib.services.scorecards import card_queries

    everywhere = frozenset({"*"})
    texts = []
    for city in [jurisdiction] if jurisdiction else cities.jurisdictions():
        grants = (Grant("auditor", everywhere, everywhere),)
        auditor = Principal("staff", city, uid="s_terminal", grants=grants)
        with suppress(Problem):
            page = card_queries.month(auditor, month, clock.now())
            texts.append(f"{city} {text(page)}")
    return texts


def text(page: dict[str, Any]) -> str:
    """The page of ``GET /v1/scorecards/{month}`` as a table."""
    month = page["month"]
    lines = [
        f"{month[:4]}-{month[4:]}, {page['stage']}, revision {page['revision']}, "
        f"rules {page['rules']}",
        "on time: share of the deadlines of the month, with its 95 % interval; n: deadlines",
    ]
    least = page["settings"]
    if "score_from" in least:  # months of the first engine have no intervals of scores
        lines += [
            "rank: the best and the worst that the 95 % interval of the score allows",
            f"–: a score needs {least['score_from']} reports due in three months, "
            f"a rank also {least['rank_from']} in the month",
        ]
    lines.append("")
    for title, rows in (("district", page["districts"]), ("unit", page["units"])):
        rows = [row for row in rows if row["n"] or row["ranked"]]
        wide = max([len(title), *(len(row["name"]["en"]) for row in rows)])
        lines.append(f"   rank  {title:<{wide}}  score              on time  interval         n")
        lines += [_line(row, wide) for row in rows]
        lines.append("")
    city = page["city"][0] if page["city"] else None
    if city:
        lines.append(f"         {'the whole city':<{wide}}{_figures(city)}")
    return "\n".join(lines)


def _line(row: dict[str, Any], wide: int) -> str:
    return f"{rank_text(row):>7}  {row['name']['en']:<{wide}}{_figures(row)}"


def rank_text(row: dict[str, Any]) -> str:
    """The rank, the range of ranks or of bands that is sure, or a dash."""
    low, high = row.get("band_low"), row.get("band_high")
    if low is not None:
        return low if low == high else f"{low}–{high}"
    if not row["ranked"]:
        return "–"
    best, worst = row.get("rank_best"), row.get("rank_worst")
    if best is None or best == worst:
        return str(best or row["rank"])
    return f"{best}–{worst}"


def _figures(row: dict[str, Any]) -> str:
    rate, score = row["on_time"], row["score"]
    shown = "     –" if score is None else f"{score:6.1f}"
    if row.get("score_low") is not None:
        shown += f" ({row['score_low']:.0f}–{row['score_high']:.0f})"
    shown = f"{shown:<17}"
    if rate["value"] is None:
        return f" {shown}        –  {'':<14}{row['n']:>6.1f}"
    interval = f"{100 * rate['low']:4.1f} – {100 * rate['high']:5.1f} %"
    return f" {shown}  {100 * rate['value']:5.1f} %  {interval:<14}{row['n']:>6.1f}"
