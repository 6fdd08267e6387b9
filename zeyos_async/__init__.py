"""Async-first client for business APIs: ZeyOS first, with one core for more."""

from __future__ import annotations
