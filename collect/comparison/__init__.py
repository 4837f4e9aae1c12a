"""Families of one task compared on the same instances: success against unified cost."""
