"""The benchmark as it is published: its repositories on the Hub, its code, and its paper."""

HUB_ID = "MLL-Lab/BAGEN"
"""Id of the dataset on the Hugging Face Hub."""
METRIC_ID = "MLL-Lab/bagen"
"""Id of the Space with the metric, as `evaluate.load` takes it."""
LEADERBOARD_ID = "MLL-Lab/bagen-leaderboard"
"""Id of the Space with the leaderboard's site."""
SUBMISSIONS_ID = "MLL-Lab/bagen-submissions"
"""Id of the dataset repository to which submissions are handed in."""
HUB_PAGE = "https://huggingface.co"
"""Address of the Hub."""
CODE_PAGE = "https://github.com/mll-lab-nu/BAGEN"
"""Address of the code, for what runs from a clone only."""
PROJECT_PAGE = "https://ragen-ai.github.io/bagen/"
"""Address of the project's page."""
PAPER_PAGE = "https://arxiv.org/abs/2606.00198"
"""Address of the paper."""
TITLE = "BAGEN: Are LLM Agents Budget-Aware?"
"""Title of the paper."""
AUTHORS = (
    "Yuxiang Lin",
    "Zihan Wang",
    "Mengyang Liu",
    "Yuxuan Shan",
    "Longju Bai",
    "Junyao Zhang",
    "Xing Jin",
    "Boshan Chen",
    "Jinyan Su",
    "Xingyao Wang",
    "Jiaxin Pei",
    "Manling Li",
)
"""Authors of the paper, as https://arxiv.org/abs/2606.00198 lists them."""
