"""Drive, attachments and uploads of the emulated server: files, versions and locks."""
