"""E-mail addresses of people who do not write in ASCII are taken; nonsense is not."""

import pytest

from chalicelib.domain.input.email_address import is_address, wire

GOOD = [
    "a@example.org", "first.last+tag@sub.example.co.id", "o'brien@example.org",
    "s\u00edt\u00ed@example.org", "\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a",
    "ana@xn--bcher-kva.example", "ana@b\u00fccher.example", "x@xn--p1ai.xn--p1ai",
    "\u0930\u093e\u092e@\u0909\u0926\u093e\u0939\u0930\u0923.\u092d\u093e\u0930\u0924",
    "jos\u0065\u0301@example.org", "A@EXAMPLE.ORG", "1@1.de",
]  # fmt: skip
BAD = [
    "", "a", "@", "a@", "@example.org", "a@b", "a@@example.org", "a@b@example.org",
    "a b@example.org", "a@exa mple.org", ".a@example.org", "a.@example.org", "a..b@example.org",
    "a@.example.org", "a@example..org", "a@-x.org", "a@x-.org", "a@example.org.", "a@example.1",
    "a@127.0.0.1", "a@[127.0.0.1]", '"a"@example.org', "a<b@example.org", "a,b@example.org",
    "a@example.org\n", "a\u202eb@example.org", "a\u200b@example.org", "a\uff20b@example.org",
    "a@ex\u3002ample.org", "a@xn--.org", "a@xn--zzzzzzzzzz99999999.org", "a@exa_mple.org",
    "x" * 65 + "@example.org", "\u00ed" * 33 + "@example.org", "a@" + "x" * 64 + ".org",
    "a@" + "x." * 130 + "org", "\ud800@example.org", "a@\uff45xample.org", "\uff41@example.org",
]  # fmt: skip


@pytest.mark.parametrize("address", GOOD)
def test_a_valid_address_is_accepted(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize("address", BAD)
def test_nonsense_is_not_an_address(address: str) -> None:
    assert not is_address(address)


def test_mail_servers_get_the_domain_in_punycode() -> None:
    assert wire("s\u00edt\u00ed@B\u00fccher.example") == "s\u00edt\u00ed@xn--bcher-kva.example"
    assert wire("ana@example.org") == "ana@example.org"
