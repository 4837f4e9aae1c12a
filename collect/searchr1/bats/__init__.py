"""BATS, budget-aware test-time scaling, as an agent of Search-R1 (Liu et al., arXiv 2511.17006)."""
