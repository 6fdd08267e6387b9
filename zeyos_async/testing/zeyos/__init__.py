"""The ZeyOS emulator: a second reading of the documents, which shares no code with the client."""
