"""Pagers, which read a query's pages: by ID, by offset, by a fixed list of keys."""
