"""The Discord side: asyncio and discord.py. Never imports torch."""
