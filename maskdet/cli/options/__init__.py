"""Options that several commands share, a group a file."""
