"""The old place of the bounds of bodies still works, and says where they are now."""

from __future__ import annotations

import pytest

from zeyos_async.transport import decoder, encoding


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ACCEPT_ENCODING", "ACCEPT_ENCODING"),
        ("Bounds", "Bounds"),
        ("CorruptBody", "CorruptBody"),
        ("TooLarge", "TooLarge"),
        ("UnknownEncoding", "UnknownEncoding"),
        ("decode", "decode_body"),
    ],
)
def test_old_names_warn(old: str, new: str) -> None:
    """Programs may have imported them, as the documentation said."""
    with pytest.warns(DeprecationWarning, match=rf"decoder\.{new}$"):
        assert getattr(encoding, old) is getattr(decoder, new)


def test_names_that_never_were() -> None:
    """They are missing as from any module."""
    with pytest.raises(AttributeError, match="no attribute 'deflate_bits'"):
        encoding.deflate_bits  # noqa: B018 - looking it up is the test
