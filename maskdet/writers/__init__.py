"""Writers: results as a table, JSON Lines, CSV, and annotated pictures."""
