"""Where detector and classifier disagree: matched, counted, drawn, written."""
