"""Where credentials are stored: in memory, in a file, in the keyring."""
