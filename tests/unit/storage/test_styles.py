"""Styles: versions, sharing, and whose comes first."""

import sqlite3
from contextlib import closing
from pathlib import Path

from storage.database import FILE, Database
from storage.schema import upgrade
from storage.values import StyleSettings, StyleText

CARRIED = StyleSettings(
    model="sub/painter", hash="0123456789", loras="ink:0.8", sampler="Euler a", steps=30, cfg=5.5, size=(512, 768)
)


async def test_saving_again_is_the_next_version(database: Database) -> None:
    """The same name in any case is the same style, one version on; lists show the newest only."""
    first = await database.styles.save(3, "Ink", prompt="{prompt}, ink", negative="", now=1.0)
    second = await database.styles.save(
        3, "INK", prompt="{prompt}, india ink", negative="colour", settings=CARRIED, now=2.0
    )
    assert (first.version, second.version) == (1, 2)
    assert second.id != first.id
    assert second.settings == CARRIED
    assert await database.styles.of(3, None) == (second,)
    assert await database.styles.find(3, None, "ink") == second
    assert await database.styles.newest(3, "iNk") == second
    assert await database.styles.newest(4, "ink") is None


async def test_old_versions_are_kept(database: Database) -> None:
    """All versions are listed newest first, a page at a time, and each is found by its id until the style is deleted."""
    kept = [await database.styles.save(3, "Ink", prompt=f"ink {n}", negative="", now=float(n)) for n in range(4)]
    await database.styles.save(4, "Ink", prompt="another's", negative="", now=9.0)
    assert await database.styles.versions(3, "ink", limit=3) == tuple(kept[:0:-1])
    assert await database.styles.versions(3, "ink", offset=3) == (kept[0],)
    assert await database.styles.get(kept[1].id) == kept[1]
    await database.styles.delete(3, "ink")
    assert await database.styles.get(kept[1].id) is None


async def test_shared_in_one_server(database: Database) -> None:
    """A shared style is found by others in that server, not elsewhere, stays shared when it is changed, and is taken back."""
    await database.styles.save(3, "Ink", prompt="a", negative="", now=1.0)
    assert await database.styles.share(3, "ink", 2) is True
    assert await database.styles.share(4, "ink", 2) is False
    shared = await database.styles.save(3, "Ink", prompt="a2", negative="", now=2.0)
    assert shared.guild == 2
    assert await database.styles.of(4, 2) == (shared,)
    assert await database.styles.find(4, 9, "ink") is None
    assert await database.styles.of(4, None) == ()
    own = await database.styles.save(4, "ink", prompt="b", negative="", now=2.0)
    assert await database.styles.find(4, 2, "Ink") == own
    assert await database.styles.of(4, 2) == (own, shared)
    await database.styles.share(3, "Ink", None)
    assert await database.styles.of(4, 2) == (own,)


async def test_many_at_once(database: Database) -> None:
    """Many are kept in one act, in their order; a name that stands twice among them gets two versions."""
    texts = [StyleText(name=name, prompt=name) for name in ("b", "a", "B")]
    kept = await database.styles.save_all(3, texts, now=1.0)
    assert [(style.name, style.version) for style in kept] == [("b", 1), ("a", 1), ("B", 2)]
    assert [style.name for style in await database.styles.of(3, None)] == ["a", "B"]


async def test_deleting_takes_all_versions(database: Database) -> None:
    """A deleted style is gone in every version, and only its owner's."""
    for now in (1.0, 2.0):
        await database.styles.save(3, "Ink", prompt="a", negative="", now=now)
    assert await database.styles.delete(4, "Ink") is False
    assert await database.styles.delete(3, "ink") is True
    assert await database.styles.delete(3, "ink") is False
    assert await database.styles.of(3, 2) == ()


async def test_styles_of_the_first_version_live_on(tmp_path: Path) -> None:
    """A style that was kept by the first Easel, shared and all, is the same after the update and carries nothing but words."""
    upgrade(tmp_path / FILE, "0001")
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute(
            "INSERT INTO styles (owner, guild, key, name, prompt, negative, version, newest, created) "
            "VALUES (3, 2, 'ink', 'Ink', '{prompt}, ink', 'blur', 4, 1, 5.0)"
        )
        connection.execute("INSERT INTO seeds VALUES (3, 'lucky', 'Lucky', 7, 5.0)")
    database = await Database.open(tmp_path)
    try:
        (style,) = await database.styles.of(9, 2)
        assert (style.name, style.prompt, style.negative, style.version) == ("Ink", "{prompt}, ink", "blur", 4)
        assert style.settings == StyleSettings()
        assert (await database.styles.save(3, "ink", prompt="x", negative="", now=6.0)).guild == 2
        assert [seed.seed for seed in await database.seeds.of(3)] == [7]
    finally:
        await database.close()
