"""One suite that every store passes, and what only the SQLite store promises."""
