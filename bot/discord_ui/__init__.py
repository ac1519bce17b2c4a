"""Discord: commands, forms, buttons, cards, delivery. The only room, with `bot.app`, that touches discord.py."""
