"""The sample account: believable, in Russian, and the same for the same number.

It holds every case that telephony meets: one open deal, several, a customer instead of a deal, a number of a company, a
number two people share, people one agent may not see, names longer than any card.
"""

import hashlib
import random
from typing import Any, Final

from server.sandbox import integrations, sample_history, sample_texts
from server.sandbox.rest.linking import link
from server.sandbox.world import Row, World

_BORN: Final = 1_788_220_800  # 1 September 2026: sample data is older than any clock that runs it
_DAY_S: Final = 86_400
_COLORS: Final = ("#99ccff", "#ffff99", "#ffcc66", "#ffcccc")
_PHONE_CODES: Final = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
_EMAIL_CODES: Final = ("WORK", "PRIV", "OTHER")
_PHONE_FORMS: Final = (
    "+7 ({0}) {1}-{2}-{3}",
    "8 ({0}) {1}-{2}-{3}",
    "+7{0}{1}{2}{3}",
    "8{0}{1}{2}{3}",
    "7{0}{1}{2}{3}",
    "+7 {0} {1} {2} {3}",
)
_FIRST_EXTENSION: Final = 201
MOST_CONTACTS: Final = 100_000  # more than any account whose list somebody scrolls through


def seed(world: World, number: int = 1, *, widget_code: str = "kommutator", redirect_uri: str = "") -> None:
    """Fill an empty world; one that was filled before only gets the integration's present address."""
    if not world.account:
        with world.batch():
            _Sample(world, number).fill()
            world.update_account(main_client_id=integrations.ensure(world, widget_code)["id"])
    integrations.ensure(world, widget_code, redirect_uri=redirect_uri)


def more_contacts(world: World, count: int) -> None:
    """Many more contacts, for whoever measures how the page and the search bear them; none for a count below 1."""
    with world.batch():
        sample = _Sample(world, world.account["seed"] + len(world.contacts))
        for _ in range(count):
            sample.contact()


class _Sample:
    """Makes the rows, each from one random sequence."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._number = number
        self._random = random.Random(number)
        self._field_ids: dict[tuple[str, str], Row] = {(f["entity_type"], f["code"]): f for f in world.custom_fields}
        self._users = list(world.users)

    def fill(self) -> None:
        """The whole account."""
        self._account()
        self._people()
        self._dictionaries()
        companies = [self._company(name) for name in sample_texts.COMPANIES]
        contacts = [self.contact() for _ in range(57)] + [self.contact(name) for name in sample_texts.LONG_PEOPLE]
        for contact in contacts[:36]:
            company = self._random.choice(companies)
            link(self._world, ("contacts", contact["id"]), ("companies", company["id"]))
        self._deals(contacts)
        self._customers(contacts)
        self._goods()
        # Two people answer the same number.
        shared = contacts[20]["custom_fields_values"][0]["values"][0]
        contacts[21]["custom_fields_values"][0]["values"].append(dict(shared))
        self._world.contacts.put(contacts[21])
        sample_history.fill(self._world, self._random)

    def contact(self, name: str | None = None) -> Row:
        """One contact with a telephone number, most with an e-mail address."""
        first, last = self._person() if name is None else (name, "")
        fields = [self._multitext("contacts", "PHONE", self._phone(), code="MOB")]
        if self._random.random() < 0.7:
            fields.append(self._multitext("contacts", "EMAIL", self._email(last or "client"), code="WORK"))
        if self._random.random() < 0.5:
            position = self._field_ids["contacts", "POSITION"]
            fields.append({"field_id": position["id"], "values": [{"value": self._pick(sample_texts.POSITIONS)}]})
        row = self._entity(f"{first} {last}".strip(), fields) | {"first_name": first, "last_name": last}
        return self._world.contacts.add(row)

    def _account(self) -> None:
        group_rows = [{"id": index, "name": name} for index, name in enumerate(sample_texts.GROUPS)]
        for group in group_rows:
            self._world.groups.put(group)
        self._world.update_account(
            id=31_000_000 + self._number % 1_000_000,
            seed=self._number,
            name=sample_texts.ACCOUNT,
            subdomain="demo",
            created_at=_BORN,
            created_by=0,
            updated_at=_BORN,
            updated_by=0,
            country="RU",
            currency="RUB",
            currency_symbol="₽",
            is_unsorted_on=True,
            mobile_feature_version=0,
            is_loss_reason_enabled=True,
            is_helpbot_enabled=False,
            is_technical_account=False,
            contact_name_display_order=1,
            amojo_id=self._uuid(),
            uuid=self._uuid(),
            version=7,
            entity_names=sample_texts.ENTITY_NAMES,
            drive_url="",
            invoices_settings=None,
            task_types=[
                {"id": 1, "name": "Связаться", "color": None, "icon_id": None, "code": "FOLLOW_UP"},
                {"id": 2, "name": "Встреча", "color": None, "icon_id": None, "code": "MEETING"},
            ],
            datetime_settings={
                "date_pattern": "d.m.Y H:i",
                "short_date_pattern": "d.m.Y",
                "short_time_pattern": "H:i",
                "date_format": "d.m.Y",
                "time_format": "H:i:s",
                "timezone": "Europe/Moscow",
                "timezone_offset": "+03:00",
            },
        )

    def _people(self) -> None:
        for index, (name, group_id, is_admin, letter) in enumerate(sample_texts.USERS):
            login = f"{sample_texts.LOGINS[index]}@demo.example"
            user = {
                "name": name,
                "login": login,
                "email": login,
                "lang": "ru",
                "group_id": group_id,
                "extension": str(_FIRST_EXTENSION + index),
                "phone_number": f"+7900000{_FIRST_EXTENSION + index:04d}",
                "api_key": hashlib.md5(f"{self._number}:{login}".encode(), usedforsecurity=False).hexdigest(),
                "uuid": self._uuid(),
                "amojo_id": self._uuid(),
                "user_rank": None,
                "rights": _rights(letter, is_admin=is_admin, group_id=group_id),
            }
            self._users.append(self._world.users.add(user))
        self._world.update_account(created_by=self._users[0]["id"], updated_by=self._users[0]["id"])

    def _dictionaries(self) -> None:
        for index, (name, statuses) in enumerate(sample_texts.PIPELINES):
            self._world.pipelines.add(self._pipeline(index, name, statuses))
        for entity_type in ("contacts", "companies"):
            self._field(entity_type, "Телефон", "PHONE", "multitext", codes=_PHONE_CODES)
            self._field(entity_type, "Email", "EMAIL", "multitext", codes=_EMAIL_CODES)
        self._field("contacts", "Должность", "POSITION", "text")
        self._field("companies", "Web", "WEB", "url")
        self._field("companies", "Адрес", "ADDRESS", "textarea")
        self._field("leads", "Источник", None, "select", codes=("Сайт", "Звонок", "Рекомендация"))
        self._field("leads", "Адрес доставки", None, "text")
        for entity_type in ("contacts", "companies", "leads"):
            for tag in sample_texts.TAGS:
                self._world.tags.add({"entity_type": entity_type, "name": tag})

        for name in sample_texts.LOSS_REASONS:
            times = {"created_at": _BORN, "updated_at": _BORN}
            self._world.loss_reasons.add({"name": name, "sort": 100_000, **times})
        for index, (name, kind) in enumerate(sample_texts.CUSTOMER_STATUSES):
            status = {"name": name, "sort": index, "is_default": kind != 0, "type": kind, "conditions": []}
            self._world.customer_statuses.add({**status, "color": _COLORS[index % len(_COLORS)]})
        for name in sample_texts.SEGMENTS:
            segment = {"name": name, "color": "10599d", "available_products_price_types": []}
            self._world.segments.add({**segment, "created_at": _BORN, "updated_at": _BORN})

    def _goods(self) -> None:
        """The catalog of goods that amoCRM makes by itself, with its four fields."""
        owner = self._users[0]["id"]
        stamp = {"created_by": owner, "updated_by": owner, "created_at": _BORN, "updated_at": _BORN}
        flags = {"can_add_elements": True, "can_show_in_cards": False, "can_link_multiple": True}
        catalog = self._world.catalogs.add({"name": "Товары", "type": "products", "sort": 20, **flags, **stamp})
        place = f"catalogs/{catalog['id']}"
        for name, code, kind in (("Артикул", "SKU", "text"), ("Описание", "DESCRIPTION", "textarea"),
                                 ("Цена", "PRICE", "price")):  # fmt: skip
            self._field(place, name, code, kind)
        self._field(place, "Группа", "GROUP", "category", codes=("Материалы", "Оборудование"))
        for name, sku, price in sample_texts.GOODS:
            values = [(self._field_ids[place, "SKU"], sku), (self._field_ids[place, "PRICE"], price)]
            fields = [{"field_id": field["id"], "values": [{"value": value}]} for field, value in values]
            element = {"catalog_id": catalog["id"], "name": name, "is_deleted": False, "custom_fields_values": fields}
            self._world.catalog_elements.add({**element, **stamp})

    def _pipeline(self, index: int, name: str, statuses: tuple[str, ...]) -> Row:
        rows = [_status(self._world.next_id("statuses"), "Неразобранное", 10, kind=1)]
        rows += [
            _status(self._world.next_id("statuses"), status, 20 + 10 * place, color=_COLORS[place])
            for place, status in enumerate(statuses)
        ]
        rows += [_status(142, "Успешно реализовано", 10_000, color="#CCFF66"),
                 _status(143, "Закрыто и не реализовано", 11_000, color="#D5D8DB")]  # fmt: skip
        flags = {"is_main": index == 0, "is_unsorted_on": True, "is_archive": False}
        return {"name": name, "sort": index + 1, **flags, "statuses": rows}

    def _field(self, entity_type: str, name: str, code: str | None, kind: str, codes: tuple[str, ...] = ()) -> None:
        enums = [
            {"id": self._world.next_id("enums"), "value": value, "code": value if kind == "multitext" else None}
            for value in codes
        ]
        row = {"entity_type": entity_type, "name": name, "code": code, "type": kind, "enums": enums or None}
        field = self._world.custom_fields.add({**row, "sort": 500 + len(self._world.custom_fields)})
        self._field_ids[entity_type, code or name] = field

    def _company(self, name: str) -> Row:
        fields = [self._multitext("companies", "PHONE", self._phone(city=True), code="WORK")]
        address = self._field_ids["companies", "ADDRESS"]
        text = f"г. Казань, {self._pick(sample_texts.STREETS)}, д. {self._random.randint(1, 120)}"
        fields.append({"field_id": address["id"], "values": [{"value": text}]})
        return self._world.companies.add(self._entity(name, fields))

    def _deals(self, contacts: list[Row]) -> None:
        """The first 24 contacts have one open deal each, the next 6 two, the next 4 only a closed one."""
        owners = contacts[:24] + [c for c in contacts[24:30] for _ in range(2)]
        for contact in owners:
            self._deal(contact, closed=False)
        for contact in contacts[30:34]:
            self._deal(contact, closed=True)

    def _deal(self, contact: Row, *, closed: bool) -> None:
        pipeline = self._pick(list(self._world.pipelines))
        choices = [status for status in pipeline["statuses"] if status["type"] == 0]
        status = self._pick(choices[-2:] if closed else choices[:-2])
        row = self._entity(self._pick(sample_texts.DEALS), [])
        row |= {
            "price": self._random.randint(5, 900) * 1000,
            "status_id": status["id"],
            "pipeline_id": pipeline["id"],
            "loss_reason_id": None,
            "source_id": None,
            "closed_at": row["updated_at"] if closed else None,
            "score": None,
            "labor_cost": None,
            "responsible_user_id": contact["responsible_user_id"],
            "group_id": contact["group_id"],
        }
        lead = self._world.leads.add(row)
        link(self._world, ("leads", lead["id"]), ("contacts", contact["id"]), is_main=True)
        for company_id in contact["links"].get("companies", []):
            link(self._world, ("leads", lead["id"]), ("companies", company_id))

    def _customers(self, contacts: list[Row]) -> None:
        for contact in contacts[36:42]:
            row = self._entity(self._pick(sample_texts.CUSTOMERS), [])
            money = {
                "next_price": self._random.randint(2, 40) * 1000,
                "ltv": 0,
                "purchases_count": 0,
                "average_check": 0,
            }
            row |= {**money, "next_date": row["updated_at"] + 30 * _DAY_S, "status_id": 0, "periodicity": 0}
            customer = self._world.customers.add(row)
            link(self._world, ("customers", customer["id"]), ("contacts", contact["id"]), is_main=True)

    def _entity(self, name: str, fields: list[Row]) -> Row:
        owner = self._pick(self._users)
        created_at = _BORN + self._random.randint(0, 60 * _DAY_S)
        return {
            "name": name,
            "responsible_user_id": owner["id"],
            "group_id": owner["group_id"],
            "created_by": owner["id"],
            "updated_by": owner["id"],
            "created_at": created_at,
            "updated_at": created_at + self._random.randint(0, 5 * _DAY_S),
            "closest_task_at": None,
            "is_deleted": False,
            "custom_fields_values": fields,
            "tags": [],
            "links": {},
        }

    def _multitext(self, entity_type: str, field_code: str, value: str, *, code: str) -> Row:
        field = self._field_ids[entity_type, field_code]
        enum = next(enum for enum in field["enums"] if enum["code"] == code)
        return {"field_id": field["id"], "values": [{"value": value, "enum_id": enum["id"]}]}

    def _person(self) -> tuple[str, str]:
        surname = self._pick(sample_texts.SURNAMES)
        if self._random.random() < 0.5:
            return self._pick(sample_texts.MEN), surname
        return self._pick(sample_texts.WOMEN), surname + "а"

    def _phone(self, *, city: bool = False) -> str:
        code = self._pick(("495", "843", "812", "351")) if city else f"9{self._random.randint(0, 99):02d}"
        parts = f"{self._random.randint(100, 999)}", *(f"{self._random.randint(0, 99):02d}" for _ in range(2))
        return str(self._pick(_PHONE_FORMS)).format(code, *parts)

    def _email(self, name: str) -> str:
        latin = "".join(sample_texts.LATIN.get(letter, letter) for letter in name.lower())
        return f"{latin}{self._random.randint(1000, 9999)}@mail.example"

    def _uuid(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _pick(self, choices: Any) -> Any:
        return self._random.choice(choices)


def _status(status_id: int, name: str, sort: int, *, color: str = "#c1c1c1", kind: int = 0) -> Row:
    return {"id": status_id, "name": name, "sort": sort, "is_editable": status_id > 30_000 and kind == 0,
            "color": color, "type": kind}  # fmt: skip


def _rights(letter: str, *, is_admin: bool, group_id: int) -> Row:
    one = {"view": letter, "edit": letter, "add": "A", "delete": letter if is_admin else "D", "export": letter}
    return {
        "leads": dict(one),
        "contacts": dict(one),
        "companies": dict(one),
        "tasks": {"edit": letter, "delete": letter},
        "mail_access": False,
        "catalog_access": False,
        "is_admin": is_admin,
        "is_free": False,
        "is_active": True,
        "group_id": group_id or None,
        "role_id": None,
        "status_rights": None,
    }
