"""The noise ceiling: the scores of a forecaster that knows how runs go on, and not how one did.

Recorded rollouts are played on from a turn, many times (`python -m collect --resume-from`). What
differs between the continuations of one prefix is chance, and no forecaster can know it.
"""
