"""amoCRM's webhooks, form-encoded with PHP's brackets."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.amocrm.hooks import nested, read_changes
from server.core.book import BookRow
from server.core.crm import Change
from server.core.errors import HookMalformed


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


CONTACT = {
    "contacts[update][0][id]": "501",
    "contacts[update][0][name]": "Иван",
    "contacts[update][0][responsible_user_id]": "11",
    "contacts[update][0][group_id]": "3",
    "contacts[update][0][linked_company_id]": "601",
    "contacts[update][0][last_modified]": "1700000100",
    "contacts[update][0][type]": "contact",
    "contacts[update][0][custom_fields][0][code]": "PHONE",
    "contacts[update][0][custom_fields][0][values][0][value]": "8 (916) 123-45-67",
    "contacts[update][0][custom_fields][0][values][0][enum]": "8001",
    "account[subdomain]": "demo",
}


def test_a_changed_contact_is_read_with_its_numbers() -> None:
    """All values are strings; numbers become numbers."""
    assert read_changes(form(**CONTACT)) == [
        Change(
            "contacts",
            501,
            BookRow(
                id=501, name="Иван", owner_id=11, group_id=3, company_id=601, updated_s=1_700_000_100,
                phones=("9161234567",),
            ),
        )
    ]  # fmt: skip


def test_a_company_comes_under_contacts() -> None:
    """Its type tells."""
    (change,) = read_changes(form(**{"contacts[add][0][id]": "601", "contacts[add][0][type]": "company"}))

    assert (change.noun, change.id) == ("companies", 601)


def test_a_deleted_entity_has_no_row() -> None:
    """It is to be forgotten."""
    assert read_changes(form(**{"leads[delete][0][id]": "701"})) == [Change("leads", 701, None)]


def test_other_events_and_shapes_say_nothing() -> None:
    """Tasks, notes, an id that is none, a branch where a leaf stood."""
    assert read_changes(form(**{"task[add][0][id]": "1"})) == []
    assert read_changes(form(**{"contacts[add][0][id]": "x"})) == []
    assert read_changes(form(contacts="1")) == []
    assert read_changes(b"contacts=1&contacts[add][0][id]=5") == []
    assert read_changes(b"") == []


def test_bytes_that_are_no_form_are_malformed() -> None:
    """Not UTF-8."""
    with pytest.raises(HookMalformed):
        read_changes(b"\xff\xfe=\x00")


@given(st.binary(max_size=300) | st.text(alphabet="contacts[]=&add0ids%5B", max_size=200).map(str.encode))
def test_no_body_raises_anything_else(body: bytes) -> None:
    """Anybody may post anything here."""
    try:
        read_changes(body)
    except HookMalformed:
        return


def test_brackets_nest_and_an_absurd_depth_is_cut() -> None:
    """A key of a hundred levels plants nothing."""
    assert nested(b"a[b][0][c]=x&a[b][1][c]=y") == {"a": {"b": {"0": {"c": "x"}, "1": {"c": "y"}}}}
    assert nested(("a" + "[x]" * 100 + "=1").encode()) == {}
