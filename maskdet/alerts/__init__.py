"""Alerts: rules such as ``without_mask>=3``, watched over a stream of results, and what happens when one holds."""
