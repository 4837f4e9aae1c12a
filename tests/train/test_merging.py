"""An adapter becomes a model folder with the same answers."""

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from bagen_data.errors import InputError
from train.merge_adapter import merge

pytestmark = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing`:FutureWarning"
)  # PEFT's


def adapter(tiny: str, folder: Path) -> Path:
    """An adapter that moves the answers, and the model's tokenizer."""
    model = AutoModelForCausalLM.from_pretrained(tiny)
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules="all-linear"))
    torch.manual_seed(0)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    adapted.save_pretrained(str(folder))
    AutoTokenizer.from_pretrained(tiny).save_pretrained(str(folder))
    return folder


def test_the_merged_model_answers_as_model_and_adapter_do(tiny: str, tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM

    lora = adapter(tiny, tmp_path / "lora")
    merge(lora, tmp_path / "merged")
    tokens = torch.arange(5, 25).unsqueeze(0)
    with torch.no_grad():
        plain = AutoModelForCausalLM.from_pretrained(tiny)(tokens).logits
        both = AutoPeftModelForCausalLM.from_pretrained(str(lora))(tokens).logits
        merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")(tokens).logits
    assert torch.allclose(merged, both, atol=1e-4)
    assert not torch.allclose(plain, both, atol=1e-2)
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template


def test_what_cannot_be_merged(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"holds no adapter_config\.json; give the folder of a LoRA"
    ):
        merge(Path(tiny), tmp_path / "merged")
    lora = adapter(tiny, tmp_path / "lora")
    with pytest.raises(InputError, match="lora: exists already; give another folder"):
        merge(lora, lora)
    weights = lora / "adapter_model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-9])
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: is cut off; copy"):
        merge(lora, tmp_path / "merged")
    weights.write_bytes(content)
    config = (lora / "adapter_config.json").read_text("utf-8").replace(tiny, "/nowhere")
    (lora / "adapter_config.json").write_text(config, "utf-8")
    with pytest.raises(InputError, match="base_model_name_or_path is /nowhere, and that"):
        merge(lora, tmp_path / "merged")
