"""Backends for Open-Xchange: sessions, second factors, OAuth."""
