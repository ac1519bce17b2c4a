"""Styles: versions, sharing, and whose comes first."""

from storage.database import Database


async def test_saving_again_is_the_next_version(database: Database) -> None:
    """The same name in any case is the same style, one version on; lists show the newest only."""
    first = await database.styles.save(3, "Ink", prompt="{prompt}, ink", negative="", now=1.0)
    second = await database.styles.save(3, "INK", prompt="{prompt}, india ink", negative="colour", now=2.0)
    assert (first.version, second.version) == (1, 2)
    assert second.id != first.id
    assert await database.styles.of(3, None) == (second,)
    assert await database.styles.find(3, None, "ink") == second


async def test_shared_in_one_server(database: Database) -> None:
    """A shared style is found by others in that server, not elsewhere; one's own comes before the server's."""
    shared = await database.styles.save(3, "Ink", prompt="a", negative="", guild=2, now=1.0)
    assert await database.styles.of(4, 2) == (shared,)
    assert await database.styles.find(4, 9, "ink") is None
    assert await database.styles.of(4, None) == ()
    own = await database.styles.save(4, "ink", prompt="b", negative="", now=2.0)
    assert await database.styles.find(4, 2, "Ink") == own
    assert await database.styles.of(4, 2) == (own, shared)
    await database.styles.save(3, "Ink", prompt="a", negative="", now=3.0)
    assert await database.styles.of(4, 2) == (own,)


async def test_deleting_takes_all_versions(database: Database) -> None:
    """A deleted style is gone in every version, and only its owner's."""
    for now in (1.0, 2.0):
        await database.styles.save(3, "Ink", prompt="a", negative="", guild=2, now=now)
    assert await database.styles.delete(4, "Ink") is False
    assert await database.styles.delete(3, "ink") is True
    assert await database.styles.delete(3, "ink") is False
    assert await database.styles.of(3, 2) == ()
