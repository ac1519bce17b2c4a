"""Queue, dispatcher and limits: asyncio, no Discord."""
