"""What types look like: schemas of built-in types and of CRDs, and what they ask of an object."""
