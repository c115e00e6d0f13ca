"""The list filters of the API: their language, and what they ask of a store."""
