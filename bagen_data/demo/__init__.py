"""A demonstration that needs nothing but the package: `bagen demo`.

`dataset/` is a small built dataset, which `tools/shipped_sample.py` makes. `shipped.py` copies it,
and `demo_page.py` writes the page that a demonstration ends with.
"""
