"""What a server serves: the types, how requests find them, and what each asks of its objects beyond the schema."""
