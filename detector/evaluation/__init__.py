"""A detector's answers against the truth: matching, average precision, operating point, reports."""
