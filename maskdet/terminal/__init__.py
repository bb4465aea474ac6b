"""What people read on a terminal: tables, progress, one line for an error."""
