"""What stands in the columns of built-in types, one function for each kind, from the whole object and the moment."""
