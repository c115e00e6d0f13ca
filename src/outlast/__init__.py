"""Durable execution: functions that run to completion, once, whatever happens to the machine."""
