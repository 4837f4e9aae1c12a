"""Warehouse: the paper's Acme, a small importer of USB accessories, on synthetic demand."""
