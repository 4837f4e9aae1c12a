"""The scores, by topic: each module has its scores beside the sums they are made of.

A module has `SCORES`, definitions by name; `all_scores` finds it by its file name.
"""
