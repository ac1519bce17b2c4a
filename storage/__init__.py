"""Storage: SQLAlchemy 2 on aiosqlite, Alembic migrations, and picture files by content hash."""
