"""Asking a model, through Inspect: options, providers, presets, runs and their logs."""
