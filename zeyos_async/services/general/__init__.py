"""The General API: models of records behind one endpoint, each described by the server itself."""
