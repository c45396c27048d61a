"""A city's own messages in addition to the shipped ones: ``messages/<language>.json``.

Keys and ``{placeholders}`` are those of chalicelib/rules/messages.json. For a missing key the
city's next language is used, and then English.
"""

import string
from collections.abc import Callable, Iterable

from chalicelib.services.platform.catalogue import SHIPPED, city_texts, optional_texts
from infra.city.fields import Fields
from infra.city.findings import Findings

FOLDER = "messages"
Catalogues = dict[str, dict[str, str]]


def read(
    languages: Iterable[str], file: Callable[[str], Fields | None], findings: Findings
) -> Catalogues:
    """{language: {key: text}} of the city's languages that have a file."""
    catalogues: Catalogues = {}
    for language in languages:
        name = f"{FOLDER}/{language}.json"
        catalogue = file(language)
        if catalogue is not None:
            catalogues[language] = _texts(catalogue)
        shipped = {key for key, texts in city_texts().items() if language in texts}
        missing = city_texts().keys() - shipped - catalogues.get(language, {}).keys()
        if missing:
            some = ", ".join(sorted(missing)[:3]) + (" …" if len(missing) > 3 else "")
            findings.warn(
                name, "", f"has not {len(missing)} of {len(city_texts())} messages: {some}"
            )
    return catalogues


def _texts(fields: Fields) -> dict[str, str]:
    texts = {}
    for key in fields.names():
        if key not in (known := city_texts() | optional_texts()):
            continue  # The schema names it.
        text = fields.text(key)
        if text and (wrong := _wrong(text, known[key][SHIPPED])):
            fields.fault(key, wrong)
        texts[key] = text
    return texts


def _wrong(text: str, shipped: str) -> str | None:
    """The fault of a text that replaces a shipped one."""
    wanted = _places(shipped)
    try:
        places = _places(text)
    except ValueError:
        return "has a brace that is no place; write {{ or }} for one"
    if places == wanted:
        return None
    names = ", ".join(f"{{{name}}}" for name in sorted(wanted))
    return f"must have just these places: {names or 'none'}"


def _places(text: str) -> set[str]:
    """The placeholders: the names in braces, with their format."""
    return {
        f"{name}{f'!{how}' if how else ''}{f':{form}' if form else ''}"
        for _, name, form, how in string.Formatter().parse(text)
        if name is not None
    }
