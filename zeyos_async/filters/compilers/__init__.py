"""One compiler for each API's own way to write a filter."""
