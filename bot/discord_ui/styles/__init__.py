"""Styles on Discord: their cards, forms and buttons, and the way from and to a file."""
