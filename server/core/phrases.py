"""The few texts that the server itself writes into amoCRM, in the account's language.

What browsers show stands in `i18n/`; a test holds both languages to the same texts.
"""

from typing import Final

RUSSIAN, ENGLISH = "ru", "en"

PHRASES: Final[dict[str, dict[str, str]]] = {
    RUSSIAN: {
        "call_from": "Звонок от {phone}",
        "missed_from": "Пропущенный звонок от {phone}",
        "call_to": "Звонок на {phone}",
        "talked": "Говорили: {chain}",
        "ended_unknown": "Конец звонка АТС не сообщила",
        "told_later": "АТС уточнила первый звонок этой заявки: {facts}",
        "told_talk": "разговор {length}",
        "told_missed": "не отвечен",
        "told_agent": "сотрудник: {name}",
        "told_link": "запись: {link}",
    },
    ENGLISH: {
        "call_from": "Call from {phone}",
        "missed_from": "Missed call from {phone}",
        "call_to": "Call to {phone}",
        "talked": "Talked: {chain}",
        "ended_unknown": "The PBX did not tell when the call ended",
        "told_later": "The PBX told more about the first call of this request: {facts}",
        "told_talk": "talk {length}",
        "told_missed": "not answered",
        "told_agent": "agent: {name}",
        "told_link": "recording: {link}",
    },
}

_ENGLISH_HOSTS = (".kommo.com",)


def language_of(host: str) -> str:
    """The language of an account: amoCRM's is Russian, its twin Kommo speaks English."""
    return ENGLISH if host.endswith(_ENGLISH_HOSTS) else RUSSIAN


def say(host: str, phrase: str, **values: str) -> str:
    """A text in the language of the account at `host`."""
    return PHRASES[language_of(host)][phrase].format(**values)
