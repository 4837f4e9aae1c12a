r"""BAGEN as tasks of the lm-evaluation-harness: `bagen_sokoban`, `bagen_searchr1`, and so on.

    lm_eval run --include_path "$(python -m bagen_data.integrations.lm_eval)" --tasks bagen \
        --model local-chat-completions --model_args model=NAME,base_url=URL --apply_chat_template

`--tasks bagen` runs all four. `--metadata dataset=DIR` reads a dataset that was built here instead
of the published one. An instruction-tuned model is asked with the recorded chat, so its template is
needed; prompts longer than a model's context are cut by some of the harness's backends.
"""
