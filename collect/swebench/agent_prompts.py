"""Prompts of local agents; the words are ours, not mini-swe-agent's."""

from collect.swebench.checkout import TESTBED

SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt"
"""The command that ends a rollout; its first words are mini-swe-agent's."""

SYSTEM = """\
You are a careful software engineer. You work in a git repository through a bash tool.
"""

INSTANCE = f"""\
Somebody reported this issue:

<issue>
{{{{task}}}}
</issue>

Change the source code so that the issue is resolved. Tests that you cannot see will check it.

- The repository is in {TESTBED}, where every command starts. Each command runs in a new shell: a
  `cd` or a variable is forgotten afterwards, files stay.
- Say in a sentence or two what you are after, then call the bash tool. An answer without a call of
  the tool changes nothing, and still counts.
- Commands get no input and are stopped after a time limit: use nothing interactive.
- Keep the change small, and leave the tests that are there as they are. Do not commit.

When you are sure, hand in a patch, in three separate commands:

1. `git diff -- FILE ... > patch.txt`, with the source files that you changed and nothing else
2. `cat patch.txt`, to see that it is what you mean
3. `{SUBMIT}`

The third command ends your work.
"""

OBSERVATION = """\
{% if output.exception_info %}<exception>{{ output.exception_info }}</exception>
{% endif -%}
<returncode>{{ output.returncode }}</returncode>
{% set most = 10000 -%}
{% if output.output | length <= most -%}
<output>
{{ output.output -}}
</output>
{%- else -%}
<output_start>
{{ output.output[:most // 2] }}
</output_start>
<left_out>{{ output.output | length - most }} characters; ask for less at a time</left_out>
<output_end>
{{ output.output[-(most // 2):] }}
</output_end>
{%- endif -%}
"""
"""Template of the message after a command; long output is cut in the middle."""

NO_CALL = (
    "Your answer called no tool, so nothing was done. Call the bash tool with a command; an answer "
    "has at most {most} tokens, so keep what you say before it short."
)
BAD_CALL = (
    "{problem}, so nothing was done. The one tool is named bash, and takes an object with the "
    'command as a text: {{"command": "ls"}}'
)
