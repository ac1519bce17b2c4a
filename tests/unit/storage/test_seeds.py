"""Seeds under a name."""

from storage.database import Database
from storage.values import SavedSeed


async def test_seeds(database: Database) -> None:
    """A seed is found by its name in any case, replaced by saving again, and gone when deleted; each person has their own."""
    await database.seeds.save(3, "Fox", 5, 1.0)
    assert await database.seeds.save(3, "fox", 2**32 - 1, 2.0) == SavedSeed(person=3, name="fox", seed=2**32 - 1)
    await database.seeds.save(3, "bear", 0, 3.0)
    assert [seed.name for seed in await database.seeds.of(3)] == ["bear", "fox"]
    assert await database.seeds.find(3, "FOX") == SavedSeed(person=3, name="fox", seed=2**32 - 1)
    assert await database.seeds.find(4, "fox") is None
    assert await database.seeds.delete(3, "FOX") is True
    assert await database.seeds.delete(3, "fox") is False
    assert await database.seeds.find(3, "fox") is None
