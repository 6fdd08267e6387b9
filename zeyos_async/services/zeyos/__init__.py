"""The ZeyOS REST API."""
