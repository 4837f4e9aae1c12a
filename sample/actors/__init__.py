"""Scripted agents, one module a task: `collect` finds `TASK_agents` here by the task's name."""
