"""The repository of the Hub where submissions are handed in: its pull requests and its branch."""
