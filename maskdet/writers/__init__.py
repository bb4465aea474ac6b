"""Writers: results as a table, JSON Lines, CSV, annotated pictures and videos."""
