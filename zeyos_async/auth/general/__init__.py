"""Backends for the General API: a log-in, or a token (``kmd``)."""
