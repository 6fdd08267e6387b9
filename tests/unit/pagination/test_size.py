"""The page size that a resource can take."""

from __future__ import annotations

from zeyos_async.pagination import PageSize


def test_a_page_size_that_fails_is_halved_and_grows_back_slowly() -> None:
    """Failures of pages in flight at the same time count once; eight good pages double the size."""
    size = PageSize()
    assert size.allow(1000) == 1000
    assert [size.failed(1000), size.failed(1000)] == [500, 500]
    assert size.failed(500) == 250
    for _ in range(8):
        size.worked(250, 1000)
    assert size.allow(1000) == 500
    for _ in range(8):
        size.worked(500, 1000)
    assert size.allow(1000) == 1000
    assert PageSize().failed(1) is None


def test_short_pages_below_the_cap_say_nothing_about_it() -> None:
    """A small page that works is no reason to try a larger one."""
    size = PageSize()
    size.failed(1000)
    for _ in range(100):
        size.worked(10, 1000)
    assert size.allow(1000) == 500
