"""Single steps, measured within one process where the cases take turns."""
