"""Token stores: in memory, in a file, in the keyring of the system."""
