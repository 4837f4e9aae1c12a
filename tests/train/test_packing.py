"""Packing changes how rows lie in memory, and neither losses nor gradients."""

from pathlib import Path

import pytest
from datasets import Dataset
from transformers import AutoTokenizer
from trl import SFTTrainer

from train.training_options import SFTOptions

pytestmark = [
    pytest.mark.filterwarnings("ignore:`gradient_checkpointing` is dep:FutureWarning"),  # TRL's
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),  # a CPU's loader
]


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def first_step(tmp_path: Path, model: str, *, packing: bool) -> tuple[int, dict[str, float]]:
    """The rows after packing, and the log of a step on all of them."""
    rows = [
        {
            "prompt": [message("system", "s"), message("user", "question " * (5 + 20 * row))],
            "completion": [message("assistant", f"<answer>[{row}, {10 * row}]</answer>")],
        }
        for row in range(6)
    ]
    options = SFTOptions(
        str(tmp_path / str(packing)),
        packing=packing,
        max_length=400,
        per_device_train_batch_size=6,
        max_steps=1,
        logging_steps=1,
        gradient_checkpointing=False,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        model_init_kwargs={"attn_implementation": "sdpa", "dtype": "float32"},
    )
    trainer = SFTTrainer(
        model=model,
        args=options,
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(model),
    )
    trainer.train()
    return len(trainer.train_dataset), trainer.state.log_history[0]


def test_a_packed_row_attends_to_itself_only(tmp_path: Path, tiny: str) -> None:
    """PyTorch's own attention is enough, where TRL's documentation asks for FlashAttention."""
    rows, plain = first_step(tmp_path, tiny, packing=False)
    packed_rows, packed = first_step(tmp_path, tiny, packing=True)
    assert packed_rows < rows == 6
    for name in ("loss", "grad_norm", "num_tokens"):
        assert packed[name] == pytest.approx(plain[name], rel=1e-4)
