"""A crop classifier run: its file, its sessions, its answers."""
