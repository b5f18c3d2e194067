"""The page for a person whose link to a recording does not play: what is the matter and what to do, in both languages.

Links are opened outside of amoCRM, by people of whom we know nothing: so both are shown.
"""

import html
from string import Template

from aiohttp import web

from server.core.errors import KommutatorError

WORDS = {
    "recording-early": (
        "Запись ещё не готова", "АТС ещё сохраняет её. Обновите страницу через минуту.",
        "The recording is not ready yet", "The PBX is still storing it. Reload the page in a minute.",
    ),
    "recording-absent": (
        "Записи этого разговора нет", "Если разговоры должны записываться, включите запись в АТС.",
        "There is no recording of this call", "If calls should be recorded, switch recording on in the PBX.",
    ),
    "recording-expired": (
        "Срок хранения записи истёк", "Запись удалена, как задано в настройках сервера.",
        "The recording was kept for its time", "It is deleted, as the server's settings say.",
    ),
    "recording-revoked": (
        "Доступ к записи закрыт", "Его закрыл администратор вашего аккаунта amoCRM.",
        "The recording was withdrawn", "An administrator of your amoCRM account did that.",
    ),
    "link-expired": (
        "Ссылка больше не действует", "Откройте запись из примечания о звонке в amoCRM.",
        "This link has expired", "Open the recording from the call's note in amoCRM.",
    ),
    "link-unknown": (
        "Такой записи нет", "Возможно, ссылка скопирована не целиком. Откройте запись из карточки в amoCRM.",
        "There is no such recording", "Perhaps a part of the link is missing. Open it from the card in amoCRM.",
    ),
}  # fmt: skip
OTHERWISE = (
    "Сейчас запись не открывается", "Попробуйте через минуту. Если не поможет, скажите администратору.",
    "The recording cannot be played now", "Try again in a minute. If it stays, tell your administrator.",
)  # fmt: skip
"""By the error's slug: the matter and the cure, Russian and English."""

PAGE = Template(
    """<!doctype html>
<html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$matter_ru</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:15vh auto;padding:0 1em;color:#363b44}
h1{font-size:1.25em;margin:0}section+section{margin-top:2em;color:#6b7280}p{margin:.25em 0}</style>
<section><h1>$matter_ru</h1><p>$cure_ru</p></section>
<section lang="en"><h1>$matter_en</h1><p>$cure_en</p></section>
</html>
"""
)


def page(error: KommutatorError) -> web.Response:
    """The page that explains an error."""
    names = ("matter_ru", "cure_ru", "matter_en", "cure_en")
    words = {name: html.escape(text) for name, text in zip(names, WORDS.get(error.slug, OTHERWISE), strict=True)}
    return web.Response(text=PAGE.substitute(words), status=error.status, content_type="text/html")
