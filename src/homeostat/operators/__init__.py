"""The operators: one package per concern, each with the same rooms, none aware of another."""
