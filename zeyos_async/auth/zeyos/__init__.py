"""Backends for ZeyOS: name and password, OAuth 2.0."""
