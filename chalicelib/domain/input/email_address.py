"""E-mail addresses as people have them: names in any script, domains in any script or punycode."""

import re
import unicodedata

LONGEST = 254
_LOCAL_BYTES, _DOMAIN_BYTES, _LABEL_BYTES = 64, 253, 63
# What RFC 5322 lets stand in a plain local part; quoted ones are not in use.
_ASCII = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_TOP = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_PUNYCODE = "xn--"


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address that could be written to (RFC 5321, 6531)."""
    local, at, domain = text.partition("@")
    if not at or len(text.encode("utf-8", "replace")) > LONGEST:
        return False
    return _is_local(local) and punycode(domain) is not None


def wire(address: str) -> str:
    """An address as mail servers take it: its domain in punycode."""
    local, _, domain = address.partition("@")
    return f"{local}@{punycode(domain) or domain}"


def punycode(domain: str) -> str | None:
    """The domain in ASCII and lower case; ``None`` where it is none, or has no dot."""
    labels = [_ascii(label) for label in domain.split(".")]
    known = [label for label in labels if label is not None]
    name = ".".join(known)
    if len(known) < max(2, len(labels)) or len(name) > _DOMAIN_BYTES:
        return None
    return name if _TOP.fullmatch(known[-1]) else None


def _is_local(local: str) -> bool:
    atoms = local.split(".")
    return (
        len(local.encode("utf-8", "replace")) <= _LOCAL_BYTES
        and all(atoms)
        and all(_ASCII.fullmatch(one) or _is_letter(one) for atom in atoms for one in atom)
    )


def _ascii(label: str) -> str | None:
    plain = unicodedata.normalize("NFC", label).lower()
    if not plain.isascii():
        if not all(one == "-" or one.isascii() or _is_letter(one) for one in plain):
            return None
        plain = _PUNYCODE + plain.encode("punycode").decode("ascii")
    elif plain.startswith(_PUNYCODE) and not _decodes(plain.removeprefix(_PUNYCODE)):
        return None
    return plain if len(plain) <= _LABEL_BYTES and _LABEL.fullmatch(plain) else None


def _decodes(code: str) -> bool:
    try:
        found = code.encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return False
    return not found.isascii() and all(one.isascii() or _is_letter(one) for one in found)


def _is_letter(one: str) -> bool:
    # Letters, marks and digits of any script; their wide and other look-alike forms are none.
    wide = unicodedata.normalize("NFKC", one)
    return not one.isascii() and unicodedata.category(one)[0] in "LMN" and not wide.isascii()
