"""Values that a careless or hostile client sends: dates, numbers, texts, lists, headers, bodies."""

import base64
import json
import random
from typing import Any

from chalicelib.domain.input.schema import Schema

DATES = (
    "0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00", "0000-01-01",
    "9999-12-31 23:59:59.999999-23:59", "0999-12-31T00:00:00Z", "1000-01-01",
    "1970-01-01T00:00:00Z", "2026-02-30", "2026-13-01", "2026-01-01T24:00:00Z",
    "2026-01-01T25:00:00Z", "10000-01-01", "-001-01-01", "2016-12-31T23:59:60Z",
    "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00 07:00",
    "2026-11-02T01:00:00.1234567890123Z", "2026-11-02T01:00:00Z", "2026-11-01", "٢٠٢٦-٠١-٠١",
    "２０２６-０１-０１", "2026-W01-1", "20260101T000000Z", "now", "1e9", "253402300800",
    "2026-01-01T00:00:00Z\x00", " 2026-01-01 ", "2026-01-01T00:00:00−07:00", "3000-01-01",
    "1582-10-15",
)  # fmt: skip
NUMBERS = (
    "nan", "NaN", "-nan", "inf", "-Infinity", "1e308", "1e309", "-1e309", "1e-400", "0", "-0",
    "1_0", "٤١", "４１", "²", "0x10", "0b1", "010", "+1", " 1 ", "1.", ".5", "1e2", "1,5", "1", "2",
    "7", "100", "1000", "999999", "1000000", "10000", "99999999999999999999", "9" * 400, "-1",
    "--1", "1.5", "90.0000001", "-90", "180", "-180.0000001", "true", "null", "", "1/2", "1\x00",
    "Ⅷ", "-6.195", "106.805",
)  # fmt: skip
MONTHS = (
    "000001", "000012", "000000", "999912", "999901", "209912", "197001", "202611", "202610",
    "202613", "202600", "100001", "٢٠٢٦١١", "20261", "2026-11", "1", "",
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "\r\nX-Injected: yes", "../../../etc/passwd", "%00", "%2e%2e%2f", "{}", "[]",
    "null", "'; DROP TABLE x; --", "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}",
    "\u202eevil\u202c", "a" * 300, "漢" * 3000, "e" + "\u0301" * 60, "\ud800", "\ufffe", "😀" * 50,
    "é", "\x7f", "\t", "__proto__", "constructor", "-", ",", ",,,,", "#", "?", "/", "open,closed",
    "OPEN", "*", "pk#sk", "=1+1", "0" * 26, "Z" * 26, "7" + "Z" * 26,
)  # fmt: skip
BOXES = (
    "106.80,-6.20,106.84,-6.19", "-180,-90,180,90", "180,90,-180,-90", "nan,nan,nan,nan",
    "0,0,0,0", "inf,0,0,0", "1,2,3", "1,2,3,4,5", "999,999,999,999", "-0.0,-0.0,0,0", "١,٢,٣,٤",
    "179.99,-90,180,-89.99", "-180,89.95,-179.95,90", "1e3,1,1,1", "106.8_0,-6.2,106.84,-6.19",
    ",,,", "106.80,-6.20,106.88,-6.12",
)  # fmt: skip
LANGUAGES = (
    "en", "id", "*", "en;q=0.٣", "en;q=nan", "xx-" + "a" * 500, "en;q=1.1,id;q=-1", ",,,;;;q=",
    "\u0661", ",".join(["en;q=0.5"] * 400),
)  # fmt: skip
HTTP_DATES = (
    "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "0",
    "Thu, 32 Foo 2026 99:99:99 XYZ", "Sat, 29 Feb 2025 00:00:00 +9999",
)  # fmt: skip
BOUNDARIES = (
    "x", '"x y"', "=_Part=:(1)", "a" * 300, "", '""', "é", "\\", '"', "--", "x;charset=utf-8",
    "\x0b", "----=_Part_1_2.3:(4)/5?6",
)  # fmt: skip
MEDIA = (
    "application/json", "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=latin-1",
    "application/x-www-form-urlencoded; charset=utf-16", "multipart/form-data", "text/xml", "",
    "a/b; c=\"", "application/json; charset=utf-7", "multipart/form-data; boundary=" + "b" * 80,
)  # fmt: skip
OLD_TOKENS = (
    "Device ", "Device x", "Device k1.e30.AAAA", "Bearer a.b.c",
    "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic eDp5", "Device k1." + "A" * 4000 + "." + "A" * 43,
    "\x00", "Device k٣.e30." + "A" * 43, "Bearer " + "é" * 20,
)  # fmt: skip
RIGHT_TEXTS = {
    "email": "ann@example.org",
    "^[0-9a-f]": "0" * 32,
    "^[0-9]{6}": "123456",
    "^[A-Za-z]": "en",
}
JSON_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**19, 1e308, -0.0, 0.1, "", [], {}, [[]],
    {"a": {"b": {}}}, "nan", "1_0", "٤١",
)  # fmt: skip
RAW_BODIES = (
    b"", b"{}", b"[]", b"null", b"{", b'{"a":NaN}', b'{"a":1e999}', b'{"a":1,"a":2}',
    b"\xff\xfe{\x00}\x00", b'{"lat":' + b"9" * 5000 + b"}", b"[" * 5000, b'{"a":"\\ud800"}',
    b'"' * 70000, b"\x00", b"a=b", b"%", b'{"lat":\xd9\xa4\xd9\xa1}', b'{"rating":1_0}',
    b"--x\r\n\r\n--x--", b"\xef\xbb\xbf{}",
)  # fmt: skip


class Values:
    """Draws values: of the kind that a name suggests, or of any kind."""

    def __init__(self, dice: random.Random, known: dict[str, tuple[str, ...]]) -> None:
        self.dice = dice
        self.known = known
        self.faulty = 0.0

    def any_text(self) -> str:
        """A value of any kind."""
        pool = self.dice.choice((DATES, NUMBERS, MONTHS, TEXTS, BOXES))
        return self.dice.choice(pool)

    def bad(self, name: str, schema: Schema | None = None) -> str:
        """A hostile value for a parameter: mostly of its own kind, sometimes of any."""
        if self.dice.random() < 0.15:
            return self.any_text()
        return self.dice.choice(_pool(name, schema or {}))

    def good(self, name: str, schema: Schema | None = None) -> str:
        """A valid value of the parameter."""
        schema = schema or {}
        if name in self.known:
            return self.dice.choice(self.known[name])
        if "enum" in schema:
            return str(self.dice.choice(schema["enum"]))
        bounds = [str(schema[bound]) for bound in ("minimum", "maximum") if bound in schema]
        return self.dice.choice((*bounds, *_good(name, schema)))

    def chosen(self, names: dict[str, Schema]) -> list[tuple[str, str]]:
        """Some of these parameters: all good, one or two hostile, or all hostile."""
        dice, share = self.dice, self.dice.choice((0.05, 0.1, 0.15, 0.3, 0.6))
        some = [name for name in names if dice.random() < share] or [dice.choice([*names])]
        dice.shuffle(some)
        hostile = dice.choice((0, 1, 1, 1, 1, 2, len(some)))
        return [
            (
                name,
                self.bad(name, names[name]) if number < hostile else self.good(name, names[name]),
            )
            for number, name in enumerate(some)
        ]

    def body(self, schema: Schema) -> Any:
        """A JSON value for a schema: right, with some faults, or with many."""
        self.faulty = self.dice.choice((0.0, 0.05, 0.05, 0.3))
        return self._value(schema, 0)

    def _value(self, schema: Schema, depth: int) -> Any:
        dice = self.dice
        if depth > 6 or dice.random() < self.faulty:
            return dice.choice(JSON_SCALARS)
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self._value(dice.choice(schema[several]), depth + 1)
        if "enum" in schema:
            return dice.choice(schema["enum"])
        kind = schema.get("type", "string")
        if isinstance(kind, list):
            kind = dice.choice(kind)
        if kind == "object":
            return self._record(schema, depth)
        if kind == "array":
            count = dice.choice((0, 1, 2, 6, 7, 101) if self.faulty else (0, 1))
            return [self._value(schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind in ("integer", "number"):
            low, high = schema.get("minimum", -1000), schema.get("maximum", 1000)
            wrong = (low - 1, high + 1, 1.5, 10**19) if self.faulty else ()
            return dice.choice((low, high, *wrong))
        if kind == "boolean":
            return dice.choice((True, False))
        return self._string(schema)

    def _record(self, schema: Schema, depth: int) -> dict[str, Any]:
        dice, record = self.dice, {}
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            if dice.random() < (1 - self.faulty if name in required else 0.3):
                own = name in self.known and dice.random() < 1 - self.faulty
                record[name] = (
                    _plain(dice.choice(self.known[name]), each)
                    if own
                    else self._value(each, depth + 1)
                )
        if dice.random() < self.faulty:
            record[self.any_text()[:80]] = dice.choice(JSON_SCALARS)
        return record

    def _string(self, schema: Schema) -> str:
        dice = self.dice
        if schema.get("format") == "date-time":
            return dice.choice(DATES)
        if not self.faulty:
            return RIGHT_TEXTS.get(schema.get("format") or schema.get("pattern", "")[:9], "A text")
        longest = schema.get("maxLength")
        if longest and dice.random() < 0.2:
            return "x" * (longest + dice.choice((-1, 0, 1)))
        return dice.choice(TEXTS)

    def form(self, names: dict[str, Schema], needed: tuple[str, ...]) -> list[tuple[str, str]]:
        """Fields of a form: those that are ``needed``, mostly, and some others."""
        dice = self.dice
        fields = dict(self.chosen(names))
        fields |= {n: self.good(n) for n in needed if n not in fields and dice.random() < 0.9}
        pairs = [pair for pair in fields.items() for _ in range(dice.choice((1, 1, 1, 1, 2)))]
        if dice.random() < 0.15:
            pairs += [(f"attribute[{self.any_text()[:30]}]", self.any_text())]
        return pairs

    def multipart(self, pairs: list[tuple[str, str]], boundary: str) -> bytes:
        """The form as multipart, with parts of odd kinds."""
        dice, mark = self.dice, boundary.strip('"').encode("utf-8", "replace")
        lines = []
        for name, value in pairs:
            lines.append(
                b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
                % (mark, name.encode("utf-8", "replace"), value.encode("utf-8", "surrogatepass"))
            )
        for number in range(dice.choice((0, 0, 1, 7, 60))):
            kind = dice.choice((b"image/jpeg", b"image/jpg", b"", b"text/plain", b"\xff"))
            data = dice.choice((b"\xff\xd8\xff\xe0", b"", b"GIF89a", dice.randbytes(40)))
            lines.append(
                b'--%s\r\nContent-Disposition: form-data; name="media"; filename="%d"\r\n'
                b"Content-Type: %s\r\n\r\n%s\r\n" % (mark, number, kind, data)
            )
        return b"".join(lines) + dice.choice((b"--%s--\r\n" % mark, b"", b"--%s" % mark))

    def cursor(self) -> str:
        """A cursor or token that the product did not make."""
        dice = self.dice
        content = {"p": {"k": dice.choice(TEXTS), "f": {}}, "e": dice.choice((1e300, None, "x", 0))}
        text = json.dumps(content).encode()
        encoded = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
        forged = f"k1.{encoded}.{'A' * dice.choice((22, 43))}"
        return dice.choice((forged, forged[:-1], "A" * 4000, "k1..", "AAAA", "_", encoded, "="))


def _plain(text: str, schema: Schema) -> Any:
    if schema.get("type") in ("number", "integer"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return [text] if schema.get("type") == "array" else text


def _pool(name: str, schema: Schema) -> tuple[str, ...]:
    if _is_moment(name, schema):
        return DATES
    if "closed_" in name or name in ("before", "month"):
        return MONTHS
    if name == "bbox":
        return BOXES
    if schema.get("type") in ("integer", "number") or name in _NUMERIC:
        bounds = [str(schema[bound]) for bound in ("minimum", "maximum") if bound in schema]
        return (*NUMBERS, *bounds)
    return TEXTS


def _good(name: str, schema: Schema) -> tuple[str, ...]:
    if _is_moment(name, schema):
        return ("2026-11-02T01:00:00Z", "2026-11-01", "2026-10-01T00:00:00+07:00")
    if "closed_" in name or name in ("before", "month"):
        return ("202611", "202610")
    if name == "bbox":
        return ("106.80,-6.20,106.84,-6.19",)
    return ("1", "2") if name in _NUMERIC or "type" in schema else ("a text",)


def _is_moment(name: str, schema: Schema) -> bool:
    return bool("date" in name or "since" in name or schema.get("format") or name in ("from", "to"))


_NUMERIC = ("lat", "long", "radius", "page", "page_size", "per_page", "limit", "after", "z")
