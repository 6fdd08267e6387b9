"""Ways into ZeyOS: name and password, OAuth 2.0."""
