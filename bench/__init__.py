"""Outlast measured: against the real development server, and against its own goals."""
