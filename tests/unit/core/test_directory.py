"""Which of several people with one number calls, and what an agent may see of them."""

from server.core import directory
from server.core.directory import Entry, Lead
from server.core.messages import Person
from server.core.rights import Rights, may_view
from server.core.vocabulary import CallerKind

PHONE = "+79161234567"
ALL = Rights(user_id=1, view={"contacts": "A", "companies": "A", "leads": "A"})
OWN = Rights(user_id=1, group_id=5, view={"contacts": "M", "companies": "G", "leads": "M"})
PEOPLE = {1: Person(1, "Ольга"), 2: Person(2, "Павел")}


def contact(entity_id: int = 10, **more: object) -> Entry:
    return Entry("contacts", entity_id, f"Иван {entity_id}", **more)  # type: ignore[arg-type]


def test_nobody_with_the_number_is_unknown() -> None:
    """The card then offers to create a contact."""
    assert directory.caller([], PHONE, rights=ALL, people=PEOPLE).kind is CallerKind.UNKNOWN


def test_a_known_caller_comes_with_company_lead_and_responsible() -> None:
    """Everything a card shows, with links."""
    one = contact(owner_id=2, company_id=7, company_name="Север", leads=(Lead(70, "Сделка"),))

    caller = directory.caller([one], PHONE, rights=ALL, people=PEOPLE)

    assert (caller.kind, caller.name, caller.responsible) == (CallerKind.CONTACT, "Иван 10", PEOPLE[2])
    assert caller.card is not None
    assert caller.card.path == "/contacts/detail/10"
    assert caller.company is not None
    assert caller.company.path == "/companies/detail/7"
    assert caller.lead is not None
    assert (caller.lead.path, caller.leads_open) == ("/leads/detail/70", 1)


def test_of_several_the_one_with_an_open_lead_is_meant_and_the_others_are_offered() -> None:
    """Open leads first, people before companies, touched last."""
    shop = Entry("companies", 5, "Магазин", updated_s=99)
    idle, busy = contact(11, updated_s=50), contact(12, leads=(Lead(70, "Сделка"),))

    caller = directory.caller([shop, idle, busy], PHONE, rights=ALL, people=PEOPLE)

    assert caller.name == "Иван 12"
    assert [other.id for other in caller.others] == [11, 5]


def test_an_entry_out_of_view_is_a_number_and_nothing_else() -> None:
    """Known, no access: no name, no link, and it says that it is not unknown."""
    caller = directory.caller([contact(owner_id=2, group_id=9)], PHONE, rights=OWN, people=PEOPLE)

    assert caller == directory.CallerView(kind=CallerKind.HIDDEN, phone=PHONE)


def test_a_visible_entry_is_shown_though_a_better_one_is_hidden() -> None:
    """What this agent may not see does not exist for him."""
    hidden = contact(11, owner_id=2, leads=(Lead(70, "Сделка"),))

    caller = directory.caller([hidden, contact(12, owner_id=1)], PHONE, rights=OWN, people=PEOPLE)

    assert (caller.name, caller.others) == ("Иван 12", ())


def test_leads_out_of_view_are_not_counted() -> None:
    """Rights on leads are their own."""
    leads = (Lead(70, "Моя", owner_id=1), Lead(71, "Чужая", owner_id=2))

    caller = directory.caller([contact(owner_id=1, leads=leads)], PHONE, rights=OWN, people=PEOPLE)

    assert (caller.leads_open, caller.lead and caller.lead.id) == (1, 70)


def test_rights_follow_amocrms_letters() -> None:
    """A all, G group, M own, D denied; an administrator sees everything; what is not said is denied."""
    assert may_view(ALL, "contacts", owner_id=9, group_id=9)
    assert may_view(OWN, "contacts", owner_id=1, group_id=9)
    assert not may_view(OWN, "contacts", owner_id=2, group_id=5)
    assert may_view(OWN, "companies", owner_id=2, group_id=5)
    assert not may_view(OWN, "companies", owner_id=2, group_id=6)
    assert not may_view(Rights(user_id=1, view={"contacts": "D"}), "contacts", owner_id=1, group_id=0)
    assert not may_view(OWN, "customers", owner_id=1, group_id=5)
    assert may_view(Rights(user_id=3, is_admin=True), "leads", owner_id=1, group_id=5)
