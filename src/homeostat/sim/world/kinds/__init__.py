"""What the world's controllers read of built-in kinds: more than operators do, and one type for all of them.

An informer keeps a cache for each type that it decodes into, so whoever in the world reads Pods reads them as one type.
Fields that Go may write as null are optional.
"""
