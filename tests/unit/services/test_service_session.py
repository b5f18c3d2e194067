"""Sessions: amoCRM's one-time token for our bearer and ticket."""

from collections.abc import Callable
from typing import Any

import pytest
from fakes.house import ACCOUNT, OLGA, OTHER_ACCOUNT, PAVEL, SECRET_KEY, STRANGER, USERS, House
from msgspec import structs

from server.core.errors import AccountUnknown, BearerInvalid, TicketInvalid, TokenInvalid, TokenReplayed
from server.core.session import Claims
from server.core.vocabulary import BEARER_S, PROTOCOL, TICKET_S
from server.services.session import Sessions, audience_of

CLIENT_ID = "integration-1"
Make = Callable[..., Sessions]


class Reader:
    """Takes a token for a name of claims: signatures are another room's."""

    def __init__(self, house: House) -> None:
        now_s = house.clock.now_ms // 1000
        self.claims = Claims(
            jti="j1", aud="https://voip.example", exp=now_s + 1800, nbf=now_s, account_id=ACCOUNT, user_id=OLGA,
            client_uuid=CLIENT_ID, is_admin=False,
        )  # fmt: skip

    def read(self, token: str) -> Claims:
        """See `services.session.TokenReader`."""
        if token != "signed":
            raise TokenInvalid
        return self.claims

    def now_says(self, **changed: Any) -> None:
        """The next token says something else."""
        self.claims = structs.replace(self.claims, **changed)


@pytest.fixture
def reader(house: House) -> Reader:
    return Reader(house)


@pytest.fixture
def make(house: House, reader: Reader) -> Make:
    def made(**more: Any) -> Sessions:
        values = {"secret_key": SECRET_KEY, "client_id": CLIENT_ID, "redirect_uri": "https://voip.example/amo/oauth"}
        return Sessions(
            house.accounts, house.lines, house.kept.accounts, reader, clock=house.clock, **values | more
        )  # fmt: skip

    return made


async def test_a_token_buys_a_session(make: Make) -> None:
    """The agent with his extensions, the lines, a bearer and a ticket."""
    sessions = make()

    answer = await sessions.open("signed")

    assert (answer.agent.id, answer.agent.name, answer.protocol) == (OLGA, "Ольга", PROTOCOL)
    assert answer.agent.extensions == {"l_1": "201", "l_2": "201"}
    assert [line.provider for line in answer.lines] == ["sipuni", "mango"]
    assert sessions.bearer(answer.bearer).user_id == OLGA
    assert (await sessions.ticket(answer.ticket)).account_id == ACCOUNT


async def test_an_unsigned_token_is_refused(make: Make) -> None:
    """Whatever it says."""
    with pytest.raises(TokenInvalid):
        await make().open("forged")


@pytest.mark.parametrize(
    "changed",
    [
        {"client_uuid": "other"},
        {"aud": "https://evil.example"},
        {"exp": 1},
        {"nbf": 1 << 40},
    ],
)
async def test_a_token_for_others_or_another_time_is_refused_and_not_spent(
    house: House, make: Make, reader: Reader, changed: dict[str, Any]
) -> None:
    """Another integration, another address, expired, not valid yet."""
    good = reader.claims
    reader.now_says(**changed)
    with pytest.raises(TokenInvalid):
        await make().open("signed")

    reader.claims = good
    assert (await make().open("signed")).agent.id == OLGA


async def test_a_token_of_an_unknown_account_is_refused(make: Make, reader: Reader) -> None:
    """Signed by amoCRM, but never installed here."""
    reader.now_says(account_id=1)

    with pytest.raises(AccountUnknown):
        await make().open("signed")


async def test_a_token_of_a_disabled_account_is_refused(house: House, make: Make) -> None:
    """Switched off in amoCRM."""
    await house.accounts.disable(ACCOUNT)

    with pytest.raises(AccountUnknown):
        await make().open("signed")


async def test_a_token_works_once(make: Make) -> None:
    """Also in the process after a restart."""
    await make().open("signed")

    with pytest.raises(TokenReplayed):
        await make().open("signed")


async def test_an_agent_may_be_let_in_twice_by_one_token(make: Make) -> None:
    """Where amoCRM keeps handing out the same token: `session.reuse_token = same_agent`."""
    sessions = make(reuse="same_agent")
    await sessions.open("signed")

    assert (await sessions.open("signed")).agent.id == OLGA


@pytest.mark.parametrize("changed", [{"user_id": PAVEL}, {"account_id": OTHER_ACCOUNT}])
async def test_a_token_that_another_spent_is_refused_in_any_case(
    make: Make, reader: Reader, changed: dict[str, int]
) -> None:
    """The same number, another agent or account."""
    sessions = make(reuse="same_agent")
    await sessions.open("signed")
    reader.now_says(**changed)

    with pytest.raises(TokenReplayed):
        await sessions.open("signed")


@pytest.mark.parametrize(
    ("said", "user_id", "expected"), [(None, OLGA, True), (None, PAVEL, False), (True, PAVEL, True)]
)
async def test_who_is_an_administrator(
    make: Make, reader: Reader, said: bool | None, user_id: int, expected: bool
) -> None:
    """The token says; where it is silent, amoCRM's list of users."""
    reader.now_says(is_admin=said, user_id=user_id)

    assert (await make().open("signed")).agent.is_admin is expected


async def test_a_bearer_ends(house: House, make: Make) -> None:
    """After a quarter of an hour."""
    sessions = make()
    bearer = (await sessions.open("signed")).bearer
    house.clock.pass_s(BEARER_S - 1)
    assert sessions.bearer(bearer)

    house.clock.pass_s(1)

    with pytest.raises(BearerInvalid):
        sessions.bearer(bearer)


async def test_a_bearer_outlives_a_restart(make: Make) -> None:
    """Ten thousand browsers come back without asking amoCRM for tokens."""
    bearer = (await make().open("signed")).bearer

    assert make().bearer(bearer).user_id == OLGA


async def test_a_bearer_of_another_installation_is_refused(make: Make) -> None:
    """Signed with another key."""
    bearer = (await make(secret_key="another" * 5).open("signed")).bearer

    with pytest.raises(BearerInvalid):
        make().bearer(bearer)


@pytest.mark.parametrize("text", ["", ".", "a.b", "W10.x", "жук.жук", "\udcff.\udcff"])
async def test_nonsense_is_no_bearer_and_no_ticket(make: Make, text: str) -> None:
    """Also in letters that no header should hold."""
    with pytest.raises(BearerInvalid):
        make().bearer(text)
    with pytest.raises(TicketInvalid):
        await make().ticket(text)


async def test_a_ticket_opens_one_socket(make: Make) -> None:
    """Whoever reads it from a log comes too late."""
    sessions = make()
    ticket = (await sessions.open("signed")).ticket
    await sessions.ticket(ticket)

    with pytest.raises(TicketInvalid):
        await sessions.ticket(ticket)


async def test_a_ticket_ends_after_half_a_minute(house: House, make: Make) -> None:
    """A browser uses it at once."""
    sessions = make()
    ticket = (await sessions.open("signed")).ticket
    house.clock.pass_s(TICKET_S)

    with pytest.raises(TicketInvalid):
        await sessions.ticket(ticket)


async def test_a_ticket_dies_with_the_process(make: Make) -> None:
    """Only the process that made it knows whether it was used."""
    ticket = (await make().open("signed")).ticket

    with pytest.raises(TicketInvalid):
        await make().ticket(ticket)


async def test_bearer_and_ticket_are_not_each_other(make: Make) -> None:
    """A ticket asks nothing of the API; a bearer opens no socket."""
    sessions = make()
    answer = await sessions.open("signed")

    with pytest.raises(BearerInvalid):
        sessions.bearer(answer.ticket)
    with pytest.raises(TicketInvalid):
        await sessions.ticket(answer.bearer)


async def test_a_session_is_renewed_without_amocrm(house: House, make: Make) -> None:
    """A fresh quarter of an hour for the same agent."""
    sessions = make()
    answer = await sessions.open("signed")
    house.clock.pass_s(BEARER_S / 2)

    renewed = sessions.renew(sessions.bearer(answer.bearer))

    assert renewed.agent.id == OLGA
    assert renewed.expires_at == answer.expires_at + BEARER_S // 2


async def test_a_session_is_not_renewed_after_the_account_was_disabled(house: House, make: Make) -> None:
    """What was let in is let out."""
    sessions = make()
    bearer = (await sessions.open("signed")).bearer
    await house.accounts.disable(ACCOUNT)

    with pytest.raises(AccountUnknown):
        sessions.renew(sessions.bearer(bearer))


async def test_renewing_forgets_rights_that_were_taken_away(house: House, make: Make, reader: Reader) -> None:
    """An administrator was made an agent while his page was open."""
    reader.now_says(is_admin=True)
    sessions = make()
    bearer = (await sessions.open("signed")).bearer
    await house.accounts.set_users(ACCOUNT, [structs.replace(USERS[0], is_admin=False)])

    assert sessions.renew(sessions.bearer(bearer)).agent.is_admin is False


async def test_a_dismissed_users_session_is_not_renewed(house: House, make: Make) -> None:
    """He left the company with his page open."""
    sessions = make()
    bearer = (await sessions.open("signed")).bearer
    await house.accounts.set_users(ACCOUNT, [structs.replace(USERS[0], is_active=False)])

    with pytest.raises(BearerInvalid):
        sessions.renew(sessions.bearer(bearer))


async def test_a_user_whom_the_copy_does_not_know_yet_is_let_in(make: Make, reader: Reader) -> None:
    """He was created a minute ago; amoCRM vouches for him."""
    reader.now_says(user_id=STRANGER)
    sessions = make()

    answer = await sessions.open("signed")

    assert (answer.agent.name, sessions.renew(sessions.bearer(answer.bearer)).agent.id) == ("", STRANGER)


def test_the_audience_has_neither_port_nor_path() -> None:
    """So amoCRM writes `aud`."""
    assert audience_of("http://localhost:8801/amo/oauth") == "http://localhost"


async def test_who_was_removed_gets_no_fresh_bearer(house: House, make: Make) -> None:
    """amoCRM does not list him any more: he is not one who is merely new."""
    sessions = make()
    bearer = (await sessions.open("signed")).bearer

    await house.accounts.set_users(ACCOUNT, [one for one in USERS if one.id != OLGA])

    with pytest.raises(BearerInvalid):
        sessions.renew(sessions.bearer(bearer))
