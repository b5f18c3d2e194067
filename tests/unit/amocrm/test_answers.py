"""Reading amoCRM's answers, as they were seen and as they may be broken."""

import json

import pytest

from server.amocrm import answers, bodies
from server.core.book import BookRow
from server.core.crm import CallNote, Logged
from server.core.errors import (
    CrmBlocked,
    CrmEntityUnknown,
    CrmError,
    CrmRateLimited,
    CrmRefused,
    CrmUnavailable,
    CrmUnpaid,
)
from server.core.records import Tokens
from server.core.vocabulary import Direction

NOTE = CallNote(
    uniq="c_1", direction=Direction.IN, phone="+79161234567", duration_s=54, source="kommutator",
    started_s=1_700_000_000, status=4, user_id=11,
)  # fmt: skip
CONTACT = {
    "id": 501,
    "name": "Иван Петров",
    "responsible_user_id": 11,
    "group_id": 3,
    "updated_at": 1_700_000_100,
    "is_deleted": False,
    "custom_fields_values": [
        {"field_code": "EMAIL", "values": [{"value": "a@b.example"}]},
        {
            "field_code": "PHONE",
            "values": [{"value": "8 (916) 123-45-67"}, {"value": "доб. 12"}, {"value": "+79161234567"}],
        },
    ],
    "_embedded": {"companies": [{"id": 601}], "leads": [{"id": 701}, {"id": 702}]},
}
FOUND = {
    "_total_items": 1,
    "errors": [],
    "_embedded": {"calls": [{"id": 90001, "entity_id": 701, "entity_type": "lead", "request_id": "0"}]},
}
UNKNOWN = {"errors": [{"title": "Entity not found", "status": 263, "request_id": "0"}], "_embedded": {"calls": []}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, CrmUnavailable), (503, CrmUnavailable), (504, CrmUnavailable), (429, CrmRateLimited), (403, CrmBlocked),
     (402, CrmUnpaid),
     (400, CrmRefused), (404, CrmRefused), (302, CrmRefused)],
)  # fmt: skip
def test_a_status_tells_whether_trying_again_may_help(status: int, kind: type[CrmError]) -> None:
    """Down, too fast, banned, refused."""
    assert type(answers.error_of(status, b"<html>")) is kind


def test_a_refusal_says_which_field_is_at_fault() -> None:
    """For the person who reads the parked job."""
    body = {
        "validation-errors": [{"errors": [{"path": "0.phone", "detail": "This field is missing."}]}],
        "detail": "Request validation failed",
    }

    message = answers.error_of(400, json.dumps(body).encode()).message

    assert "0.phone" in message
    assert "Request validation failed" in message


def test_half_an_answer_is_an_outage() -> None:
    """A page of a proxy, or a body cut off, tells nothing about what was done."""
    for body in (b'{"_embedded": {"calls"', b"<html>502</html>", b"\xff\xfe"):
        with pytest.raises(CrmUnavailable):
            answers.content_of(body)
    assert answers.content_of(b"") is None


def test_tokens_carry_their_end() -> None:
    """In our clock's milliseconds."""
    fresh = {"token_type": "Bearer", "expires_in": 86400, "access_token": "a", "refresh_token": "r"}

    assert answers.tokens(fresh, 1000) == Tokens("a", "r", 86_401_000)
    with pytest.raises(CrmUnavailable):
        answers.tokens({"access_token": "a"}, 0)


def test_an_entity_is_kept_with_its_exact_numbers() -> None:
    """Each number once, by its last ten digits; a remark in the phone field is none."""
    (row,) = answers.book_rows([CONTACT], "contacts")

    assert row == BookRow(
        id=501, name="Иван Петров", owner_id=11, group_id=3, company_id=601, updated_s=1_700_000_100,
        phones=("9161234567",),
    )  # fmt: skip


def test_a_deleted_or_shapeless_entity_is_skipped() -> None:
    """The rest of the page counts all the same."""
    assert answers.book_rows([{**CONTACT, "is_deleted": True}, {"name": "?"}], "contacts") == []


def test_a_lead_is_open_until_won_or_lost_and_knows_its_people() -> None:
    """Statuses 142 and 143 close a lead in every pipeline."""
    lead = {
        "id": 701,
        "name": "Сделка",
        "status_id": 5,
        "_embedded": {"contacts": [{"id": 501}], "companies": [{"id": 601}]},
    }
    won, lost = {**lead, "status_id": 142}, {**lead, "status_id": 143}

    rows = answers.book_rows([lead, won, lost], "leads")

    assert [row.is_open for row in rows] == [True, False, False]
    assert rows[0].bonds == (("contacts", 501), ("companies", 601))
    assert answers.lead_ids([CONTACT]) == [701, 702]


def test_a_call_is_its_agents_by_all_three_names() -> None:
    """created_by must equal responsible_user_id, or amoCRM's call statistics miss the call."""
    body = bodies.call(NOTE)

    assert body["created_by"] == body["responsible_user_id"] == body["call_responsible"] == 11
    assert (body["direction"], body["uniq"], body["created_at"]) == ("inbound", "c_1", 1_700_000_000)
    assert "link" not in body


def test_a_logged_call_tells_where_it_went() -> None:
    """The entity type is singular in the answer."""
    assert answers.logged(200, FOUND) == Logged("leads", 701, 90001)


@pytest.mark.parametrize(("status", "content"), [(400, UNKNOWN), (200, UNKNOWN)])
def test_nobody_with_the_number_is_an_error_of_its_own(status: int, content: object) -> None:
    """Whether amoCRM says it with 400 (seen) or with 200 (mixed batches)."""
    with pytest.raises(CrmEntityUnknown):
        answers.logged(status, content)


def test_an_answer_that_is_a_riddle_leaves_the_outcome_open() -> None:
    """Neither done nor refused: to be looked up before it is sent again."""
    for content in ({}, None, [], {"_embedded": {"calls": [{}]}}):
        with pytest.raises(CrmUnavailable):
            answers.logged(200, content)
    with pytest.raises(CrmRefused):
        answers.logged(400, {"errors": [{"status": 101}]})


def test_our_note_is_known_by_our_id() -> None:
    """Among others' notes."""
    notes = [
        {"id": 1, "entity_id": 5, "params": {"uniq": "x"}},
        {"id": 2, "entity_id": 5, "params": None},
        {"id": 3, "entity_id": 6, "params": {"uniq": "c_1"}},
    ]

    assert [answers.uniq_of(note) for note in notes] == ["x", None, "c_1"]


def test_a_user_comes_with_his_view_rights() -> None:
    """Letters per noun; nulls are nothing."""
    rights = {"contacts": {"view": "G"}, "leads": {"view": "A"}, "companies": None, "group_id": None, "is_admin": True}
    item = {"id": 11, "name": "Ольга", "rights": rights}

    user = answers.user(item)

    assert (user.is_admin, user.is_active, user.group_id) == (True, True, 0)
    assert user.rights.view == {"contacts": "G", "companies": "", "leads": "A"}
