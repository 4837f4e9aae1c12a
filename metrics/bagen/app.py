"""Try the metric: one sample's truth, one response, and the scores of the answer."""

import math

import gradio as gr

import bagen_data
from bagen_data import published
from bagen_data.scoring import SCORES, score

SHOWN = ("accuracy", "coverage", "reward", "rl_reward", "mre_p50", "interval_score", "within_2x")
EXAMPLES = [
    ["<think>Two more turns.</think> <answer>[360, 440]</answer>", True, 900, 200, 400],
    ["<answer>impossible</answer>", False, 900, 700, 400],
    ["<answer>about 400</answer>", True, 900, 200, 400],
]


def judge(response, feasible, budget, used, remaining):
    """The reading of an answer about tokens, and its scores as table rows."""
    numbers = {"Budget": budget, "Used so far": used, "Still used afterwards": remaining}
    for name, number in numbers.items():
        if number is None or not 0 <= number < math.inf:
            raise gr.Error(f"{name}: expected a number of at least 0")
    if feasible and used + remaining > budget:
        raise gr.Error(
            f"{used + remaining:,} tokens in all pass the budget of {budget:,}: not feasible"
        )
    amounts = {"resource": "tokens", "budget": budget, "used": used, "remaining": remaining}
    sample = {"sample_id": "sokoban/you/1/1", "feasible": feasible, "resources": [amounts]}
    try:
        answers = [{"sample_id": sample["sample_id"], "response": response}]
        report = score([sample], answers, question="interval")
    except bagen_data.BagenError as error:
        raise gr.Error(str(error)) from error
    estimate = bagen_data.parse(response, ["tokens"])
    reading = estimate.verdict + (f" ({estimate.reason})" if estimate.reason else "")
    if estimate.intervals:
        interval = estimate.intervals["tokens"]
        reading += f": {interval.low:,} to {interval.high:,} tokens more"
    rows = []
    for name in SHOWN:
        value = report.overall[name].value
        text = "not defined here" if value is None else f"{value:.4g}"
        rows.append([name, text, SCORES[name].meaning])
    return reading, rows


def build():
    """The page."""
    first = EXAMPLES[0]
    reading, rows = judge(*first)
    with gr.Blocks(title="BAGEN metric") as page:
        gr.Markdown(
            "# BAGEN metric\nWhat is one answer worth? Change the truth about a sample and the "
            "response, as a model would write it.\n\n"
            f"[Paper]({published.PAPER_PAGE}) · [code]({published.CODE_PAGE}) · "
            f"[dataset]({published.HUB_PAGE}/datasets/{published.HUB_ID}) · "
            f"[leaderboard]({published.HUB_PAGE}/spaces/{published.LEADERBOARD_ID})"
        )
        with gr.Row():
            with gr.Column():
                response = gr.Textbox(first[0], label="Response, raw", lines=4)
                feasible = gr.Checkbox(
                    first[1], label="Feasible: it was finished within the budget"
                )
                budget = gr.Number(first[2], label="Budget, tokens", minimum=0)
                used = gr.Number(first[3], label="Used so far, tokens", minimum=0)
                remaining = gr.Number(first[4], label="Still used afterwards, tokens", minimum=0)
                button = gr.Button("Score", variant="primary")
            with gr.Column():
                read_as = gr.Textbox(reading, label="Read as")
                table = gr.Dataframe(
                    rows,
                    headers=["score", "value", "meaning"],
                    column_widths=["24%", "16%", "60%"],
                    label="Scores",
                    wrap=True,
                )
        inputs = [response, feasible, budget, used, remaining]
        gr.Examples(EXAMPLES, inputs)
        button.click(judge, inputs, [read_as, table], api_name="judge")
    return page


if __name__ == "__main__":
    build().launch()
