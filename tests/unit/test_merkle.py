"""The Merkle tree: RFC 6962's own vectors, and every leaf's path."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import merkle

# Inputs and roots of certificate-transparency's test vectors (RFC 6962).
INPUTS = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_rfc_6962(size: int) -> None:
    assert merkle.root([merkle.leaf(data) for data in INPUTS[:size]]) == ROOTS[size]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == hashlib.sha256(b"").hexdigest()


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_every_leaf_leads_to_the_root_and_no_other_does(
    items: list[bytes], data: st.DataObject
) -> None:
    leaves = [merkle.leaf(item) for item in items]
    index = data.draw(st.integers(0, len(items) - 1))
    path = merkle.path(leaves, index)
    assert merkle.climb(leaves[index], path) == merkle.root(leaves)
    assert merkle.climb(merkle.leaf(b"another"), path) != merkle.root(leaves)
