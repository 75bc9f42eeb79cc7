"""OpenAPI: the documents of types, as clients read them to explain, to complete and to check what people write.

Those of built-in types are captured (`schemas.captured`). Those of custom types are made of their definitions: the
schemas in `custom`, what can be done with them in `operations`. `swagger` makes version 2 of version 3.
"""
