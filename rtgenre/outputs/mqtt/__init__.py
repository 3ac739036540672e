"""The broker: its connection, topics, and what Home Assistant is told."""
