"""What the doctor's lines say about an account; how Discord is asked is shown in tests/e2e/test_doctor.py."""

from bot.commands.checks.account import account_findings, described
from bot.commands.checks.finding import Level
from bot.discord_ui.account import Account, Place
from tests.unit.bot.commands.conftest import Make

GOOD = Place(1, "Studio", (), usable=3, channels=4)


def account(*places: Place, endpoint: bool = False, more: int = 0) -> Account:
    """An account in `places`."""
    return Account("Easel#1", "https://discord.com/oauth2/authorize?client_id=7", endpoint, places, more)


async def test_no_token_means_the_sandbox(make: Make) -> None:
    """Without a token nothing is asked of anybody, and the line says what runs and how to join Discord."""
    (finding,) = await account_findings(make())
    assert finding.level is Level.OK
    assert "sandbox" in finding.found
    assert "EASEL_DISCORD_TOKEN" in finding.found


def test_a_server_where_all_is_well() -> None:
    """Name, servers with their channels, and the invitation, none of them a fault."""
    findings = described(account(GOOD), home=0)
    assert [finding.level for finding in findings] == [Level.OK] * 3
    assert findings[1].found == "Studio: Easel has all it needs in 3 of 4 text channels"
    assert findings[2].found.startswith("https://discord.com/oauth2/")


def test_missing_rights_are_named_in_words() -> None:
    """A server that withholds a right is a note: the others can be answered."""
    poor = Place(2, "Attic", ("attach_files", "embed_links"), usable=0, channels=2)
    findings = described(account(GOOD, poor), home=0)
    assert findings[2].level is Level.NOTE
    assert "lacks attach files, embed links" in findings[2].found
    closed = described(account(Place(3, "Cellar", (), usable=0, channels=2)), home=0)
    assert "every text channel" in closed[1].found


def test_no_server_is_a_fault() -> None:
    """A bot that nobody invited cannot answer; the link that changes it is printed."""
    findings = described(account(), home=0)
    assert findings[1].level is Level.FAULT
    assert findings[-1].topic == "Invitation"


def test_the_server_of_the_settings_must_be_one_of_them() -> None:
    """Commands that are registered in one server only are heard nowhere else."""
    findings = described(account(GOOD), home=99)
    assert findings[1].level is Level.FAULT
    assert "99" in findings[1].found
    assert all(finding.level is Level.OK for finding in described(account(GOOD), home=1))
    assert all(finding.level is Level.OK for finding in described(account(GOOD, more=3), home=99))


def test_commands_that_go_elsewhere_are_a_fault() -> None:
    """An interactions endpoint in the developer portal takes every command away from the gateway."""
    findings = described(account(GOOD, endpoint=True), home=0)
    assert findings[1].level is Level.FAULT
    assert "Interactions Endpoint URL" in findings[1].advice
