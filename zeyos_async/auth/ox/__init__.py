"""Ways into Open-Xchange: sessions, second factors, OAuth."""
