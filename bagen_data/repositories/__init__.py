"""Repositories of the Hugging Face Hub: how they are asked, read and written."""
