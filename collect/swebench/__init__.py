"""Rollouts of SWE-bench: mini-swe-agent on real instances, or on small local repositories.

On real instances it runs in Docker and in an environment of its own: `prepare` writes what that
needs. On local repositories it runs here: `rollout` plays one instance and judges the patch.

**A local rollout runs whatever shell commands the agent writes, on this machine and as this user.**
They get a home, a time limit and an environment of their own, and no key from the caller's; nothing
holds them back from the rest of the disk or the network. Use models you trust, or a container.
"""
