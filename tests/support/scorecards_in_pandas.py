"""A second computation of the scorecards, with pandas, only from the rows and the definitions.

Nothing here comes from the product's scoring: it follows only docs/scorecards.md, so that two
implementations of the same definitions must agree on every figure
(tests/integration/test_recompute.py).
"""

from datetime import UTC, datetime, timedelta
from math import asin, cos, nan, radians, sin, sqrt
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from tests.support.scores_again import Again, Line, tenth

Z = 1.959963984540054
MILLION = 1_000_000
DISMISSED = ("rejected", "duplicate", "not_ours", "withdrawn")
UNRECEIVED = ("duplicate", "not_ours", "withdrawn")
STARS = {f"stars_{n}": n for n in range(1, 6)}
PARTY = ["ward", "unit", "officer"]
Key = tuple[str, str]
Cards = dict[Key, dict[str, Any]]


def city_facts(bundle: dict[str, Any]) -> dict[str, Any]:
    """The facts of a city that a recomputation needs: its zone, areas and units."""
    return {
        "place": bundle["jurisdiction"],
        "zone": bundle["time_zone"],
        "levels": bundle["levels"],
        "areas": bundle["areas"],
        "units": bundle["units"],
        "users": {},
    }


def weights(
    filers: dict[str, dict[str, str]], cap: int, weighing: int | None = None
) -> dict[str, int]:
    """Millionths that each report counts, by {filing month: {report: person}}."""
    found: dict[str, int] = {}
    for people in filers.values():
        frame = pd.DataFrame(list(people.items()), columns=["report", "person"])
        filed = frame.groupby("person")["report"].transform("size")
        for report, k in zip(frame["report"], filed, strict=True):
            found[report] = MILLION if k <= cap else cap * MILLION // int(k)
        if weighing == 2:
            found |= _stepped(frame.assign(k=filed), cap)
    return found


def _stepped(frame: pd.DataFrame, cap: int) -> dict[str, int]:
    frame["part"] = pd.cut(
        frame["k"] / cap, [0, 2, 4, 8, float("inf")], right=False, labels=[1, 2, 4, 8]
    ).astype(int)
    for part in (8, 4, 2):
        here = frame["part"] == part
        if frame.loc[here, "person"].nunique() < 5:
            frame.loc[here, "part"] = part // 2
    return dict(zip(frame["report"], MILLION // frame["part"], strict=True))


def wilson(hits: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a rate; none (NaN) of nothing."""
    if n <= 1e-9:
        return nan, nan
    p = min(1.0, max(0.0, hits / n))
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def recompute(
    rows: list[dict[str, Any]],
    weights_by_report: dict[str, int],
    facts: dict[str, Any],
    settings: dict[str, Any],
    month: str,
    now: datetime,
) -> Cards:
    """{(kind, code): {measure: {figure: value}}}, and under "" the card's score, rank and n.

    ``facts["codes"]`` are codes of other versions of the city, each with that of the month's.
    """
    rows = _recoded(rows, facts.get("codes", {}))
    return _Month(rows, weights_by_report, facts, settings, month, now).cards()


def _recoded(value: Any, codes: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _recoded(one, codes) for name, one in value.items()}
    if isinstance(value, list):
        return [_recoded(one, codes) for one in value]
    return codes.get(value, value) if isinstance(value, str) else value


class _Month:
    def __init__(
        self,
        rows: list[dict[str, Any]],
        weights_by_report: dict[str, int],
        facts: dict[str, Any],
        settings: dict[str, Any],
        month: str,
        now: datetime,
    ) -> None:
        self.facts, self.settings, self.zone = facts, settings, ZoneInfo(facts["zone"])
        self.month = month
        self.start, self.end = self._first(month), self._first(month, 1)
        self.until = min(self.end, pd.Timestamp(now))
        self.before = self._first(month, -2), self._first(month, -1)
        self.settled = self._first(month, 1, 16)
        self.audited = self._first(month, -2, 16), self._first(month, 1, 16)
        areas = pd.DataFrame(facts["areas"]).set_index("code")
        last, above = facts["levels"][-1], facts["levels"][-2]
        self.wards = areas[areas["level"] == last]["parent"].to_dict()
        self.districts = list(areas[areas["level"] == above].index)
        self.root = areas[areas["parent"].isna()].index[0]
        self.people = areas["population"].to_dict() if "population" in areas else {}
        self.own = {
            (unit["code"], district)
            for unit in facts["units"]
            if unit["kind"] == "district"
            for district in unit["districts"]
        }
        self._read(rows, weights_by_report)

    def _first(self, month: str, later: int = 0, day: int = 1) -> pd.Timestamp:
        number = int(month[:4]) * 12 + int(month[4:]) - 1 + later
        local = datetime(number // 12, number % 12 + 1, day, tzinfo=self.zone)
        return pd.Timestamp(local.astimezone(UTC))

    def _read(self, rows: list[dict[str, Any]], weight: dict[str, int]) -> None:
        reports, ends, rounds, shares, heard, holds, marks = [], [], [], [], [], [], []
        for row in rows:
            name, counts = row["report"], weight.get(row["report"], MILLION)
            last = row["rounds"][-1]
            place = (row["ward"], row["lat7"] / 1e7, row["long7"] / 1e7)
            private = row.get("private", False)
            reports.append((name, row["service"], *place, row["filed_at"], private))
            ends.append((last["resolution"], last["closed_at"]))
            for number, one in enumerate(row["rounds"]):
                key = (name, number)
                base = {k: one[k] for k in one if k not in ("held", "shares", "acknowledge_shares")}
                held = dict(zip(PARTY, one["held"], strict=True))
                filed = {"filed_at": row["filed_at"], "report_service": row["service"]}
                rounds.append({"key": key, "report": name, "w": counts, **filed, **base, **held})
                shares += [(key, *share) for share in one["shares"]]
                heard += [(key, *share) for share in one["acknowledge_shares"]]
            holds += [(name, n, *held) for n, held in enumerate(row["holds"])]
            marks += [(name, counts, *mark) for mark in row["marks"]]
        places = ["report", "service", "ward", "lat", "long", "filed_at", "private"]
        self.reports = pd.DataFrame(reports, columns=places)
        self.reports[["resolution", "closed_at"]] = pd.DataFrame(ends, dtype=object)
        _timed(self.reports, "filed_at", "closed_at")
        moments = ("filed_at", "from", "due", "acknowledge_due", "acknowledged_at", "stop")
        self.rounds = _timed(pd.DataFrame(rounds), *moments, "closed_at")
        self.shares = pd.DataFrame(shares, columns=["key", *PARTY, "ppm"])
        self.heard = pd.DataFrame(heard, columns=["key", *PARTY, "ppm"])
        self.holds = _timed(pd.DataFrame(holds, columns=["report", "n", "since", *PARTY]), "since")
        self.marks = _timed(
            pd.DataFrame(marks, columns=["report", "w", "kind", "at", *PARTY]), "at"
        )

    def _in(self, moments: pd.Series) -> pd.Series:
        return (moments >= self.start) & (moments < self.until)

    def _spread(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Each row once for every card that it counts for, as ``kind`` and ``code``."""
        district = frame["ward"].map(self.wards)
        pairs = zip(frame["unit"], district, strict=True)
        own = pd.Series([pair in self.own for pair in pairs], index=frame.index, dtype=bool)
        known = district.notna()
        return pd.concat(
            [
                frame.assign(kind="city", code=self.root),
                frame.assign(kind="unit", code=frame["unit"]),
                frame[frame["officer"].notna()].assign(kind="officer", code=frame["officer"]),
                frame[own].assign(kind="district", code=district),
                frame[own].assign(kind="ward", code=frame["ward"]),
                frame[~own & known].assign(kind="others", code=district),
            ]
        )

    def _sums(self, frame: pd.DataFrame, *columns: str, by: tuple[str, ...] = ()) -> pd.DataFrame:
        keys = ["kind", "code", *by]
        return self._spread(frame).groupby(keys)[list(columns)].sum()

    def pass_rates(self) -> dict[str, float]:
        """The pass rate of each district, and under "" of the city."""
        marks = self.marks
        low, high = self.audited
        audits = marks[marks["kind"].isin(["audit_pass", "audit_fail"])]
        audits = audits[(audits["at"] >= low) & (audits["at"] < high)]
        passed = audits["kind"] == "audit_pass"
        city = float(passed.mean()) if len(audits) else self.settings["unaudited_pass_rate"]
        used = {"": city}
        where = audits["ward"].map(self.wards)
        for district in self.districts:
            here = passed[where == district]
            prior = 0 if len(here) >= self.settings["audit_from"] else self.settings["audit_prior"]
            n = len(here) + prior
            used[district] = (float(here.sum()) + prior * city) / n if n else city
        return used

    def due(self) -> pd.DataFrame:
        """The shares in every deadline of the month: what is due and on time of each."""
        rounds = self.rounds[self._in(self.rounds["due"])]
        parts = self.shares.merge(rounds.drop(columns=PARTY), on="key")
        rates = self.pass_rates()
        rate = parts["ward"].map(self.wards).map(rates).astype(float).fillna(rates[""])
        timely = parts["stop"].notna() & (parts["stop"] <= parts["due"])
        dismissed = timely & parts["resolution"].isin(DISMISSED)
        verified = timely & (parts["resolution"] == "verified")
        whole = parts["ppm"] * parts["w"] / 1e12
        due = whole.where(~dismissed, whole * (1 - rate))
        hit = (whole * rate).where(timely & ~dismissed & ~verified, 0.0).where(~verified, whole)
        outcome = pd.Series("late", parts.index).where(~timely, "unanswered")
        outcome = outcome.where(~dismissed, "dismissed").where(~verified, "verified")
        return parts.assign(due_n=due, hit=hit, late=due - hit, all=whole, outcome=outcome)

    def holders(self, moment: pd.Timestamp) -> pd.DataFrame:
        """The holder of each report at a moment; a hold that begins then counts."""
        held = self.holds[self.holds["since"] <= moment].sort_values(["report", "n"])
        return held.groupby("report").tail(1)[["report", *PARTY]]

    def open_rounds(self) -> pd.DataFrame:
        """The rounds that run at the end, with who holds them then."""
        rounds = self.rounds
        begun, over = rounds["from"] < self.until, rounds["closed_at"] < self.until
        found = rounds[begun & ~over].drop(columns=PARTY)
        return found.merge(self.holders(self.until), on="report")

    def _to_tell(self) -> pd.DataFrame:
        """The rounds with a deadline to acknowledge, but those that ended before it unheard."""
        rounds = self.rounds[self._in(self.rounds["acknowledge_due"])]
        ended = rounds["stop"] <= rounds["acknowledge_due"]
        unheard = rounds["acknowledged_at"].isna() & rounds["resolution"].isin(DISMISSED)
        return rounds[~(ended & unheard)]

    def recurrences(self) -> pd.DataFrame:
        """The repairs verified two months before, and whether they lasted."""
        rounds, low, high = self.rounds, *self.before
        done = (rounds["closed_at"] >= low) & (rounds["closed_at"] < high)
        repairs = rounds[done & (rounds["resolution"] == "verified")]
        # The place of a private report is too rough to compare.
        told = self.reports[~self.reports["private"]]
        repairs = repairs[repairs["report"].isin(told["report"])]
        place = told.set_index("report")[["lat", "long"]]
        repairs = repairs.join(place, on="report").assign(due_n=1.0)
        span, again = pd.Timedelta(days=self.settings["recurrence_days"]), []
        for repair in repairs.itertuples():
            near = told[
                (told["service"] == repair.report_service)
                & (told["report"] != repair.report)
                & (told["filed_at"] > repair.closed_at)
                & (told["filed_at"] <= repair.closed_at + span)
                & (told["filed_at"] < self.until)
            ]
            metres = [
                _metres(repair.lat, repair.long, other.lat, other.long)
                for other in near.itertuples()
            ]
            again.append(float(any(m <= self.settings["recurrence_m"] for m in metres)))
        return repairs.assign(hit=again)

    def cards(self) -> Cards:
        """Every card."""
        due, marks = self.due(), self.marks[self._in(self.marks["at"])]
        found: dict[str, pd.DataFrame] = {}
        found["on_time"] = self._sums(due, "hit", "due_n", "late", "all")
        rounds = self.rounds
        told = self.heard.merge(self._to_tell().drop(columns=PARTY), on="key")
        whole = told["ppm"] * told["w"] / 1e12
        first = told[["acknowledged_at", "stop"]].min(axis=1)
        in_time = first <= told["acknowledge_due"]
        told = told.assign(due_n=whole, hit=whole.where(in_time, 0.0))
        found["acknowledged_on_time"] = self._sums(told, "hit", "due_n")
        running = self.open_rounds()
        stopped = running["stop"] < self.until
        carried = running[~stopped & (running["due"] < self.start)]
        carried = self.shares.merge(carried.drop(columns=PARTY), on="key")
        carried = carried.assign(hit=carried["ppm"] * carried["w"] / 1e12)
        found["carried"] = self._sums(carried, "hit")
        closed = rounds[self._in(rounds["closed_at"])]
        repaired = closed[closed["resolution"].isin(["verified", "unverified"])]
        whole = repaired["w"] / 1e6
        sure = repaired["resolution"] == "verified"
        repaired = repaired.assign(due_n=whole, hit=whole.where(sure, 0.0))
        found["verified"] = self._sums(repaired, "hit", "due_n")
        repaired = repaired.assign(hours=_hours(repaired["filed_at"], repaired["stop"]))
        first_rounds = rounds["key"].map(lambda key: key[1] == 0).astype(bool)
        heard = rounds[self._in(rounds["acknowledged_at"]) & first_rounds]
        heard = heard.assign(hours=_hours(heard["filed_at"], heard["acknowledged_at"]))
        heard = self._held_then(heard, "acknowledged_at")
        hours = {"to_acknowledge": self._spread(heard), "to_resolve": self._spread(repaired)}
        whole = marks["w"] / 1e6
        for name, kinds in {
            "finished": ["finished"],
            "rework": ["reopened", "refused"],
            "yes": ["yes"],
            "no": ["no"],
            "ratings": list(STARS),
        }.items():
            kept = marks["kind"].isin(kinds)
            found[name] = self._sums(marks[kept].assign(n=whole[kept]), "n")
        rated = marks[marks["kind"].isin(list(STARS))]
        stars = rated["kind"].map(STARS).astype(float) * rated["w"] / 1e6
        found["stars"] = self._sums(rated.assign(n=stars), "n")
        age = self.until - running["from"]
        old = age > (running["due"] - running["from"]) * self.settings["old_factor"]
        days = age / pd.Timedelta(days=1)
        backlog = self._spread(running.assign(n=1.0, old=old.astype(float), days=days))
        found["backlog"] = backlog.groupby(["kind", "code"]).agg(
            {"n": "sum", "old": "sum", "days": "max"}
        )
        recurrences = self.recurrences()
        found["recurrence"] = self._sums(recurrences, "hit", "due_n")
        found["expected"] = self._expected(due)
        found["received"] = self._received()
        found["hours"] = pd.concat(hours.values()).groupby(["kind", "code"])[["hours"]].count()
        seen = {key for frame in found.values() for key in frame.index}
        keys = {("city", self.root)} | {("district", code) for code in self.districts}
        keys |= {("ward", code) for code in self.wards}
        sums = {name: frame.to_dict("index") for name, frame in found.items()}
        taken = {
            name: dict(list(frame.groupby(["kind", "code"])["hours"]))
            for name, frame in hours.items()
        }
        cards = {key: self._card(key, sums, taken) for key in sorted(keys | seen)}
        if self.settings.get("engine", 1) == 1:
            self._score(cards)
        else:
            lasted = recurrences["hit"].map({1.0: "recurred", 0.0: "lasted"})
            self._score_again(cards, [
                due.assign(measure="on_time"),
                told.assign(measure="acknowledged_on_time",
                            outcome=in_time.map({True: "in_time", False: "late"})),
                carried.assign(measure="overdue_carried", outcome="carried"),
                repaired.assign(measure="verified", outcome=repaired["resolution"]),
                marks[marks["kind"].isin(["finished", "refused", "reopened"])].assign(
                    measure="reopened_or_refused", outcome=marks["kind"]),
                rated.assign(measure="satisfaction", outcome=rated["kind"]),
                recurrences.assign(measure="recurrence", outcome=lasted, w=MILLION),
                self._audits().assign(measure="audit", w=MILLION),
                self._earlier().assign(measure="due_earlier", outcome="due"),
            ])  # fmt: skip
        return cards

    def _audits(self) -> pd.DataFrame:
        marks = self.marks[self.marks["kind"].isin(["audit_pass", "audit_fail"])]
        low, high = self.audited
        marks = marks[(marks["at"] >= low) & (marks["at"] < high)]
        return marks.assign(outcome=marks["kind"].str.removeprefix("audit_"))

    def _earlier(self) -> pd.DataFrame:
        """The shares in every deadline of the two months before."""
        due = self.rounds["due"]
        rounds = self.rounds[(due >= self.before[0]) & (due < self.start)]
        return self.shares.merge(rounds.drop(columns=PARTY), on="key")

    def _score_again(self, cards: Cards, frames: list[pd.DataFrame]) -> None:
        """The scores of engine 2."""
        lines: list[Line] = []
        for frame in frames:
            # Pandas gives an empty frame the index of an assigned series: rows of no card.
            spread = self._spread(frame.reset_index(drop=True)).dropna(subset=["kind", "report"])
            for row in spread.to_dict("records"):
                place = self.wards.get(row["ward"], "")
                service, amount = str(row.get("service", "")), row.get("ppm", MILLION) * row["w"]
                lines.append(Line((row["kind"], row["code"]), row["report"], row["measure"],
                                  row["outcome"], service, place, int(amount)))  # fmt: skip
        again = Again(self.facts["place"], self.month, self.settings, lines, ("city", self.root))
        for key, card in cards.items():
            due = sum(one.amount for one in again.of[key]
                      if one.measure in ("on_time", "due_earlier"))  # fmt: skip
            enough = due >= self.settings["score_from"] * 10**12
            score = again.exact(key) if enough else None
            card[""] = {"n": card["on_time"]["n"], "due_in_three_months": due / 1e12}
            card[""] |= {"score": None, "exact": 0.0, "score_low": None, "score_high": None}
            without = "no_data" if any(self.settings["weights"].values()) else "no_weights"
            card[""]["unscored"] = None if score is not None else (
                without if enough else "too_few_due")  # fmt: skip
            if score is not None:
                low, high = (tenth(end) for end in again.interval(key))
                card[""] |= {"score": tenth(score), "score_low": low, "score_high": high}
        for kind in ("district", "ward", "unit"):
            known = [card[""] for key, card in cards.items()
                     if key[0] == kind and card[""]["score"] is not None
                     and round(card[""]["n"], 6) >= self.settings["rank_from"]]  # fmt: skip
            for head in known:
                better = sum(other["score_low"] > head["score_high"] for other in known)
                worse = sum(other["score_high"] < head["score_low"] for other in known)
                head |= {"rank_best": 1 + better, "rank_worst": len(known) - worse}
                head["of"] = len(known)

    def _held_then(self, frame: pd.DataFrame, moment: str) -> pd.DataFrame:
        joined = frame.drop(columns=PARTY).merge(self.holds, on="report")
        before = joined[joined["since"] <= joined[moment]].sort_values(["report", "n"])
        return before.groupby("key").tail(1)

    def _expected(self, due: pd.DataFrame) -> pd.DataFrame:
        city = due.groupby("service")[["late", "due_n"]].sum()
        rate = (city["late"] / city["due_n"].where(city["due_n"] > 0)).fillna(0.0)
        return self._sums(due.assign(late=due["due_n"] * due["service"].map(rate)), "late")

    def _received(self) -> pd.DataFrame:
        filed = self.reports[self._in(self.reports["filed_at"])].drop(columns="ward")
        filed = filed.merge(self.holders(self.settled), on="report")
        left = filed["resolution"].isin(UNRECEIVED) & (filed["closed_at"] < self.settled)
        filed = filed.assign(n=(~left).astype(float), district=filed["ward"].map(self.wards))
        kept = filed[~left]
        known = filed[filed["district"].notna()]
        scopes = [
            filed.assign(kind="city", code=self.root),
            kept.assign(kind="unit", code=kept["unit"]),
            known.assign(kind="district", code=known["district"]),
            known.assign(kind="ward", code=known["ward"]),
        ]
        return pd.concat(scopes).groupby(["kind", "code"])[["n"]].sum()

    def _card(
        self,
        key: Key,
        found: dict[str, dict[Key, dict[str, float]]],
        hours: dict[str, dict[Key, pd.Series]],
    ) -> dict[str, Any]:
        def of(name: str, column: str = "n") -> float:
            return float(found[name].get(key, {}).get(column, 0.0))

        due, carried = of("on_time", "due_n"), of("carried", "hit")
        yes, rated, received = of("yes"), of("ratings"), of("received")
        rework = of("rework")
        card: dict[str, Any] = {
            "received": {"value": received, "n": received},
            "on_time": _rate(of("on_time", "hit"), due),
            "acknowledged_on_time": _rate(
                of("acknowledged_on_time", "hit"), of("acknowledged_on_time", "due_n")
            ),
            "overdue_carried": _rate(carried, carried + of("on_time", "all")),
            "verified": _rate(of("verified", "hit"), of("verified", "due_n")),
            "reopened_or_refused": _rate(rework, max(rework, of("finished"))),
            "satisfaction": {
                "value": of("stars") / rated if rated else None,
                "numerator": of("stars"),
                "denominator": rated,
                "n": rated,
            },
            "repaired_yes": _rate(yes, yes + of("no")),
            "recurrence": _rate(of("recurrence", "hit"), of("recurrence", "due_n")),
        }
        open_n = of("backlog")
        card["backlog"] = {
            "value": open_n,
            "n": open_n,
            "oldest_days": of("backlog", "days") if open_n else None,
            "old": of("backlog", "old"),
        }
        for measure, taken in hours.items():
            mine = taken.get(key, ())
            median, p90 = mine.quantile([0.5, 0.9]) if len(mine) else (None, None)
            figures = {"value": median, "median": median, "p90": p90}
            card[measure] = {**figures, "n": float(len(mine))}
        late, expected = of("on_time", "late"), of("expected", "late")
        card["case_mix"] = {
            "value": late / expected if expected > 1e-12 else None,
            "numerator": late,
            "denominator": expected,
            "n": due,
        }
        card |= self._of_area(key, received, found["received"])
        return card

    def _of_area(self, key: Key, received: float, filed: dict[Key, Any]) -> dict[str, Any]:
        kind, code = key
        card: dict[str, Any] = {}
        if kind in ("city", "district", "ward"):
            people = self._population(kind, code)
            card["per_10000"] = {
                "value": received * 10_000 / people if people else None,
                "numerator": received,
                "denominator": people,
                "n": received,
            }
        if kind in ("city", "district"):
            wards = [w for w, parent in self.wards.items() if kind == "city" or parent == code]
            silent = float(sum(("ward", ward) not in filed for ward in wards))
            n = float(len(wards))
            card["silent_wards"] = {"value": silent, "numerator": silent, "denominator": n, "n": n}
        if kind == "city":
            for name, users in self.facts["users"].items():
                card[name] = {"value": float(users), "n": float(users)}
        return card

    def _population(self, kind: str, code: str) -> float | None:
        """The area's own number, or that of all its wards if every one is known."""
        of = pd.Series(self.people, dtype=float)
        if pd.notna(of.get(code)):
            return float(of[code])
        wards = [w for w, parent in self.wards.items() if kind == "city" or code in (w, parent)]
        known = of.reindex(wards)
        return float(known.sum()) if len(wards) and known.notna().all() else None

    def _score(self, cards: Cards) -> None:
        city = cards["city", self.root]
        mix, shrink = city["case_mix"], self.settings["shrink_n"]
        ballast = shrink * mix["numerator"] / mix["n"] if mix["n"] else 0.0
        mean = city["satisfaction"]["value"]
        for card in cards.values():
            points, whole = 0.0, sum(self.settings["weights"].values())
            for measure, percent in self.settings["weights"].items():
                good = _points(measure, card[measure], ballast, mean, shrink)
                points += 100 * percent / whole * good
            card[""] = {"score": round(points, 1), "exact": points, "n": card["on_time"]["n"]}
        for kind in ("district", "ward", "unit"):
            ranked = {
                key: card[""]["score"]
                for key, card in cards.items()
                if key[0] == kind and round(card[""]["n"], 6) >= self.settings["rank_from"]
            }
            places = pd.Series(ranked, dtype=float).rank(method="min", ascending=False)
            for key, place in zip(ranked, places, strict=True):
                cards[key][""] |= {"rank": int(place), "of": len(ranked)}


def _points(
    measure: str, figure: dict[str, Any], ballast: float, mean: float | None, shrink: float
) -> float:
    n = figure["n"]
    if measure == "satisfaction":
        if mean is None:
            return 0.0
        return ((figure["numerator"] + shrink * mean) / (n + shrink) - 1) / 4
    if measure == "case_mix":
        if not n:
            return 0.0
        expected = figure["denominator"] + ballast
        ratio = (figure["numerator"] + ballast) / expected if expected > 1e-12 else 1.0
        return max(0.0, 1 - ratio / 2)
    if n <= 1e-9:
        return 0.0
    good = figure["numerator"]
    if measure in ("overdue_carried", "reopened_or_refused", "recurrence"):
        good = n - good
    return wilson(good, n)[0]


def _rate(numerator: float, denominator: float) -> dict[str, Any]:
    low, high = wilson(numerator, denominator)
    none = denominator <= 1e-9
    return {
        "value": None if none else numerator / denominator,
        "numerator": numerator,
        "denominator": denominator,
        "n": denominator,
        "low": None if none else low,
        "high": None if none else high,
    }


def _timed(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    for column in columns:
        frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601")
    return frame


def _hours(start: pd.Series, end: pd.Series) -> pd.Series:
    return (end - start) / timedelta(hours=1)


def _metres(lat: float, long: float, other_lat: float, other_long: float) -> float:
    a, b, away = radians(lat), radians(other_lat), radians(other_long - long)
    h = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(away / 2) ** 2
    return 2 * 6_371_008.8 * asin(sqrt(h))
