"""The dataset as it is published."""

HUB_ID = "MLL-Lab/BAGEN"
"""Its id on the Hugging Face Hub."""
