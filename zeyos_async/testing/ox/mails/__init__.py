"""The mail store of the emulated server: messages as RFC 822 bytes, and what is read from them."""
