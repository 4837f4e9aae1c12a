"""Sweeps: runs that are trained and evaluated, one row of a table each (`train/sweep.py`)."""
