"""The vocabulary that bot, client and engine share. Imports msgspec and the standard library only."""
