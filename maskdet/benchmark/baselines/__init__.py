"""What the speed is measured beside: the bare network, torch, other commands, a plain script."""
