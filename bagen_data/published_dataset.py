"""The dataset as it is published."""

HUB_ID = "MLL-Lab/BAGEN"
"""Id of the published dataset on the Hugging Face Hub."""
