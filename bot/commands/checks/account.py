"""The token and what the bot may do where it is. Refuses to know how Discord is asked (`bot.discord_ui.account`)."""

from bot.commands.checks.finding import Finding, fault, note, ok
from bot.discord_ui.account import Account, Place, look_up
from bot.errors import SetupError
from bot.settings import Settings

INVITE = "Invite it with the link below."


async def account_findings(settings: Settings) -> tuple[Finding, ...]:
    """No token: the sandbox. With one: whose it is, its servers, what is missing there, and the link that invites it."""
    if settings.token is None:
        return (
            ok("Token", "none is set: `python run.py` opens the sandbox. Set EASEL_DISCORD_TOKEN to join Discord."),
        )
    try:
        account = await look_up(settings.token.get_secret_value())
    except SetupError as error:
        found, _, advice = error.sentence.partition(". ")
        return (fault("Token", found, advice),)
    return described(account, home=settings.discord.guild)


def described(account: Account, *, home: int) -> tuple[Finding, ...]:
    """Lines about `account`; `home` is the server that [discord] guild names, 0 for none."""
    findings = [ok("Token", f"belongs to {account.name}")]
    if account.endpoint:
        findings.append(
            fault(
                "Commands",
                "Discord sends this application's commands to an address in the web, so Easel hears none",
                "Clear “Interactions Endpoint URL” at https://discord.com/developers/applications (General Information).",
            )
        )
    if not account.places:
        findings.append(fault("Servers", f"{account.name} is in no server", INVITE))
    elif home and not account.more and home not in {place.id for place in account.places}:
        advice = f"{INVITE} Or set guild = 0 in [discord] of config.toml."
        findings.append(fault("Servers", f"{account.name} is not in the server {home}", advice))
    findings += [place_finding(place) for place in account.places]
    if account.more:
        findings.append(ok("Servers", f"{account.more} more, not looked at"))
    findings.append(ok("Invitation", account.invitation))
    return tuple(findings)


def place_finding(place: Place) -> Finding:
    """Whether Easel can work in a server."""
    rooms = f"{place.usable} of {place.channels} text channels"
    if place.missing:
        lacking = ", ".join(name.replace("_", " ") for name in place.missing)
        advice = "Give its role these rights in Server Settings, Roles; or invite it again with the link below."
        return note("Server", f"{place.name}: Easel lacks {lacking}; it has all it needs in {rooms}", advice)
    if place.channels and not place.usable:
        advice = "Give its role the rights in a channel (Edit Channel, Permissions)."
        return note("Server", f"{place.name}: every text channel takes some right away from Easel", advice)
    return ok("Server", f"{place.name}: Easel has all it needs in {rooms}")
