"""Built-in types that ask more of their objects than a schema can say, one file for each."""
