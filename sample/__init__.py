"""The bundled sample: its rollouts, and the scripted agents, toys and country that made them."""
