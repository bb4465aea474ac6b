"""The forms that a result can take for other tools, and the way back; one form a file."""
