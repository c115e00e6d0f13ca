"""The keepers of what is durable: one protocol, several stores that do not see one another."""
