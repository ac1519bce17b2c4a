"""Somebody's pictures in Discord: a home, pages of nine, one picture opened, and being forgotten."""
