"""Which change of the account is which event of the events list, and what the event tells.

The keys are amoCRM's; `GET /api/v4/events/types` lists them.
"""

from collections.abc import Iterator
from typing import Final

from server.sandbox.rest.custom_fields import fields_of
from server.sandbox.rest.field_types import TYPES
from server.sandbox.rest.nouns import NOUNS
from server.sandbox.world import Row, World

# key, in Russian, in English
TYPE_NAMES: Final = (
    ("lead_added", "Новая сделка", "New lead"),
    ("lead_deleted", "Сделка удалена", "Lead deleted"),
    ("lead_restored", "Сделка восстановлена", "Lead restored"),
    ("lead_status_changed", "Изменение этапа продажи", "Lead stage changed"),
    ("lead_linked", "Прикрепление сделки", "Lead linked"),
    ("lead_unlinked", "Открепление сделки", "Lead unlinked"),
    ("contact_added", "Новый контакт", "New contact"),
    ("contact_deleted", "Контакт удален", "Contact deleted"),
    ("contact_restored", "Контакт восстановлен", "Contact restored"),
    ("contact_linked", "Прикрепление контакта", "Contact linked"),
    ("contact_unlinked", "Открепление контакта", "Contact unlinked"),
    ("company_added", "Новая компания", "New company"),
    ("company_deleted", "Компания удалена", "Company deleted"),
    ("company_restored", "Компания восстановлена", "Company restored"),
    ("company_linked", "Прикрепление компании", "Company linked"),
    ("company_unlinked", "Открепление компании", "Company unlinked"),
    ("customer_added", "Новый покупатель", "New customer"),
    ("customer_deleted", "Покупатель удален", "Customer deleted"),
    ("customer_status_changed", "Изменение этапа покупателя", "Customer stage changed"),
    ("customer_linked", "Прикрепление покупателя", "Customer linked"),
    ("customer_unlinked", "Открепление покупателя", "Customer unlinked"),
    ("task_added", "Новая задача", "New task"),
    ("task_deleted", "Задача удалена", "Task deleted"),
    ("task_completed", "Завершение задачи", "Task completed"),
    ("task_type_changed", "Изменение типа задачи", "Task type changed"),
    ("task_text_changed", "Изменение текста задачи", "Task text changed"),
    ("task_deadline_changed", "Изменение даты исполнения задачи", "Task deadline changed"),
    ("task_result_added", "Результат по задаче", "Task result added"),
    ("incoming_call", "Входящий звонок", "Incoming call"),
    ("outgoing_call", "Исходящий звонок", "Outgoing call"),
    ("incoming_chat_message", "Входящее сообщение", "Incoming chat message"),
    ("outgoing_chat_message", "Исходящее сообщение", "Outgoing chat message"),
    ("entity_direct_message", "Сообщение внутреннего чата", "Internal chat message"),
    ("incoming_sms", "Входящее SMS", "Incoming SMS"),
    ("outgoing_sms", "Исходящее SMS", "Outgoing SMS"),
    ("entity_tag_added", "Теги добавлены", "Tags added"),
    ("entity_tag_deleted", "Теги убраны", "Tags removed"),
    ("entity_linked", "Прикрепление", "Linked"),
    ("entity_unlinked", "Открепление", "Unlinked"),
    ("sale_field_changed", "Изменение поля «Бюджет»", "Field “Sale” changed"),
    ("name_field_changed", "Изменение поля «Название»", "Field “Name” changed"),
    ("ltv_field_changed", "Сумма покупок", "Sum of purchases"),
    ("custom_field_value_changed", "Изменение поля", "Field changed"),
    ("entity_responsible_changed", "Ответственный изменен", "Responsible user changed"),
    ("robot_replied", "Ответ робота", "Robot replied"),
    ("intent_identified", "Тема вопроса определена", "Intent identified"),
    ("nps_rate_added", "Новая оценка NPS", "New NPS rate"),
    ("link_followed", "Переход по ссылке", "Link followed"),
    ("transaction_added", "Добавлена покупка", "Purchase added"),
    ("common_note_added", "Новое примечание", "New note"),
    ("common_note_deleted", "Примечание удалено", "Note deleted"),
    ("attachment_note_added", "Добавлен новый файл", "New file added"),
    ("targeting_in_note_added", "Добавление в ретаргетинг", "Added to retargeting"),
    ("targeting_out_note_added", "Удаление из ретаргетинга", "Removed from retargeting"),
    ("geo_note_added", "Новое примечание с гео-меткой", "New note with a place"),
    ("service_note_added", "Новое системное примечание", "New system note"),
    ("site_visit_note_added", "Заход на сайт", "Site visit"),
    ("message_to_cashier_note_added", "Сообщение кассиру", "Message to the cashier"),
    ("key_action_completed", "Ключевое действие", "Key action"),
    ("entity_merged", "Выполнено объединение", "Merged"),
)
_NOTES: Final = {
    "common": "common_note_added",
    "call_in": "incoming_call",
    "call_out": "outgoing_call",
    "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms",
    "service_message": "service_note_added",
    "extended_service_message": "service_note_added",
    "geolocation": "geo_note_added",
    "attachment": "attachment_note_added",
    "message_cashier": "message_to_cashier_note_added",
}
_DONE: Final = {"add": "added", "delete": "deleted", "restore": "restored", "link": "linked", "unlink": "unlinked"}
_KNOWN: Final = frozenset(key for key, _, _ in TYPE_NAMES)

# An event's type, its values after, its values before.
Told = tuple[str, list[Row], list[Row]]


def told(world: World, change: Row) -> Iterator[Told]:
    """The events that one announced change makes; often one, none for what amoCRM does not list."""
    action, entity_type, row = change["action"], change["entity_type"], change["row"]
    if entity_type == "unsorted":
        return
    singular = NOUNS[entity_type].singular if entity_type in NOUNS else "task"
    if action == "note":
        kind = _NOTES.get(change["note"]["note_type"])
        if kind is not None:
            yield kind, [{"note": {"id": change["note"]["id"]}}], []
    elif action == "follow":
        yield "link_followed", [], []
    elif action == "responsible":
        yield "entity_responsible_changed", [_user(row)], [_user(change, "old_responsible_user_id")]
    elif action == "status":
        yield _status(singular, row, change)
    elif action in ("link", "unlink"):
        other_type, other_id = change["other"]
        entity = {"type": NOUNS[other_type].singular, "id": other_id}
        yield f"{NOUNS[other_type].singular}_{_DONE[action]}", [{action: {"entity": entity}}], []
    elif action == "update" and "before" in change:
        yield from _task_changes(change) if entity_type == "tasks" else _changes(world, change)
    elif f"{singular}_{_DONE.get(action)}" in _KNOWN:
        yield f"{singular}_{_DONE[action]}", [], []


def _user(row: Row, name: str = "responsible_user_id") -> Row:
    return {"responsible_user": {"id": row[name]}}


def _status(singular: str, row: Row, change: Row) -> Told:
    after: Row = {"id": row["status_id"]}
    before: Row = {"id": change["old_status_id"]}
    if singular == "lead":
        after["pipeline_id"], before["pipeline_id"] = row["pipeline_id"], change["old_pipeline_id"]
    name = f"{singular}_status"
    return f"{name}_changed", [{name: after}], [{name: before}]


def _changes(world: World, change: Row) -> Iterator[Told]:
    """What an update of an entity has changed: name, price, tags, custom fields."""
    row, before = change["row"], change["before"]
    for member, kind, name in (("name", "name_field_changed", "name"), ("price", "sale_field_changed", "sale")):
        if member in row and row[member] != before.get(member):
            yield (
                kind,
                [{f"{name}_field_value": {name: row[member]}}],
                [{f"{name}_field_value": {name: before[member]}}],
            )
    added = [known for known in row["tags"] if known not in before["tags"]]
    gone = [known for known in before["tags"] if known not in row["tags"]]
    if added:
        yield "entity_tag_added", _tags(world, added), []
    if gone:
        yield "entity_tag_deleted", [], _tags(world, gone)
    for field in fields_of(world, change["entity_type"]):
        after, old = _values(field, row), _values(field, before)
        if after != old:
            yield f"custom_field_{field['id']}_value_changed", after, old


def _tags(world: World, ids: list[int]) -> list[Row]:
    return [{"tag": {"name": world.tags[known]["name"]}} for known in ids if known in world.tags]


def _values(field: Row, row: Row) -> list[Row]:
    number = TYPES[field["type"]].number
    return [
        {
            "custom_field_value": {
                "field_id": field["id"],
                "field_type": number,
                "enum_id": value.get("enum_id"),
                "text": str(value["value"]),
            }
        }
        for entry in row.get("custom_fields_values") or []
        if entry["field_id"] == field["id"]
        for value in entry["values"]
    ]


def _task_changes(change: Row) -> Iterator[Told]:
    row, before = change["row"], change["before"]

    def pair(name: str, member: str, key: str) -> tuple[list[Row], list[Row]]:
        return [{name: {key: row[member]}}], [{name: {key: before[member]}}]

    members: tuple[tuple[str, str, str, str], ...] = (
        ("task_text_changed", "task", "text", "text"),
        ("task_deadline_changed", "task_deadline", "complete_till", "timestamp"),
        ("task_type_changed", "task_type", "task_type_id", "id"),
    )
    for kind, name, member, key in members:
        if row[member] != before[member]:
            yield kind, *pair(name, member, key)
    if row["is_completed"] and not before["is_completed"]:
        yield "task_completed", [], []
    if row["result"] and row["result"] != before["result"]:
        yield "task_result_added", [], []
