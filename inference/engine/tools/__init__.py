"""The model tools: a program of its own (`python -m inference.engine.tools`) that converts, merges, checks and identifies."""
