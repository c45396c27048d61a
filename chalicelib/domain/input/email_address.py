"""E-mail addresses: names in any script, domains in any script or punycode."""

import re
import unicodedata

LONGEST = 254
# For schemas, which cannot ask ``is_address``: it lets more pass.
PATTERN = r"^[^@\s]+@[^@\s]+$"
_LOCAL_BYTES, _DOMAIN_BYTES, _LABEL_BYTES = 64, 253, 63
# The characters of a plain local part in RFC 5322; quoted local parts are not supported.
_ASCII = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_TOP = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_PUNYCODE = "xn--"


def is_address(text: str) -> bool:
    """Whether a text is a valid e-mail address (RFC 5321, 6531)."""
    local, at, domain = text.partition("@")
    if not at or len(text.encode("utf-8", "replace")) > LONGEST:
        return False
    return _is_local(local) and punycode(domain) is not None


def wire(address: str) -> str:
    """An address in the form that mail servers accept: its domain in punycode."""
    local, _, domain = address.partition("@")
    return f"{local}@{punycode(domain) or domain}"


def plain(address: str) -> str:
    """An address trimmed, in lower case, with its domain in ASCII (punycode).

    Addresses that mail servers keep apart stay apart, so ``ß`` is not ``ss``: a code sent to one
    must not open what was filed with the other.
    """
    local, at, domain = unicodedata.normalize("NFC", address.strip()).lower().rpartition("@")
    # A text that is not an Internet domain is compared as written.
    return f"{local}{at}{punycode(domain) or domain}"


def punycode(domain: str) -> str | None:
    """The domain in ASCII and lower case; ``None`` if it is invalid or has no dot."""
    labels = [_ascii(label) for label in domain.split(".")]
    valid = [label for label in labels if label is not None]
    name = ".".join(valid)
    if len(valid) < max(2, len(labels)) or len(name) > _DOMAIN_BYTES:
        return None
    return name if _TOP.fullmatch(valid[-1]) else None


def _is_local(local: str) -> bool:
    atoms = local.split(".")
    return (
        len(local.encode("utf-8", "replace")) <= _LOCAL_BYTES
        and all(atoms)
        and all(_ASCII.fullmatch(char) or _is_letter(char) for atom in atoms for char in atom)
    )


def _ascii(label: str) -> str | None:
    plain = unicodedata.normalize("NFC", label).lower()
    if not plain.isascii():
        if not all(char == "-" or char.isascii() or _is_letter(char) for char in plain):
            return None
        plain = _PUNYCODE + plain.encode("punycode").decode("ascii")
    elif plain.startswith(_PUNYCODE) and not _decodes(plain.removeprefix(_PUNYCODE)):
        return None
    return plain if len(plain) <= _LABEL_BYTES and _LABEL.fullmatch(plain) else None


def _decodes(code: str) -> bool:
    try:
        decoded = code.encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return False
    return not decoded.isascii() and all(char.isascii() or _is_letter(char) for char in decoded)


def _is_letter(char: str) -> bool:
    # Letters, marks and digits of any script, but not wide forms and similar variants of ASCII.
    wide = unicodedata.normalize("NFKC", char)
    return not char.isascii() and unicodedata.category(char)[0] in "LMN" and not wide.isascii()
