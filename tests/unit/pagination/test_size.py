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


def test_a_growth_that_fails_doubles_the_pages_before_the_next() -> None:
    """A server that hangs at larger pages costs a third of a deadline for each growth that is tried."""
    size = PageSize()
    size.failed(1000)
    waits = []
    for _ in range(4):
        pages = 0
        while size.allow(1000) == 500:
            size.worked(500, 2000)
            pages += 1
        waits.append(pages)
        size.failed(1000)
    assert waits == [2, 4, 8, 16]
