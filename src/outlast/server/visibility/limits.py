"""The bounds of list filters."""

QUERY_BYTES_MAX = 64 * 1024
"""Of the text of a filter: what is longer would hold the server up."""
NESTING_MAX = 100
"""How many parentheses, or signs before a value, may stand in one another."""
GROUPS_MAX = 1_000
"""How many groups a count gives: the largest."""
