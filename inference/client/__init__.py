"""The asyncio side of the wire: backends that paint, and nothing about how."""
