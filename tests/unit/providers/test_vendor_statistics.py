"""What the vendors' statistics say, in our words; questions are asked as they want them."""

import contextlib
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import VendorCredentials, VendorError, VendorRateLimited, VendorUnavailable
from server.core.ports import LineKeys, Pause, VendorAnswer, VendorRequest
from server.core.statistics import ToldCall
from server.core.vocabulary import Direction, Result
from server.providers import mango_statistics, sipuni_statistics
from server.providers.mango import REPORT_TRIES
from server.providers.registry import CODECS
from server.providers.sipuni import signature

SIPUNI = LineKeys({"user": "078332", "secret": "0.test5ecret01"})
MANGO = LineKeys({"api_key": "k", "api_salt": "s"})
DAY = 1_698_786_000_000  # 2023-11-01 00:00 in Moscow
HEADER = (
    "Тип;Статус;Время;Схема;Откуда;Куда;Кто ответил;Кто разговаривал;Кому звонили;Длительность звонка, сек;"
    "Длительность разговора, сек;Время ответа, сек;ID записи;Запись существует"
)


def csv(*rows: str, header: str = HEADER) -> bytes:
    return ("\ufeff" + "\n".join([header, *rows]) + "\n").encode()


def asked(vendor: str, keys: LineKeys, *answers: VendorAnswer, until: int = DAY + 3_600_000) -> Any:
    """Drive a codec's questions: its requests, and what it learned."""
    asking, requests = CODECS[vendor].statistics(DAY, until, keys), []
    answer: VendorAnswer | None = None
    left = list(answers)
    try:
        while True:
            step = asking.send(answer)
            answer = None if isinstance(step, Pause) else left.pop(0)
            requests.append(step)
    except StopIteration as end:
        return requests, end.value


def fields(request: VendorRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}


def test_the_newest_set_of_parameters_is_signed_as_published() -> None:
    """pbx.md A.7: the hash of a known question."""
    published = {**sipuni_statistics.filters("01.11.2023"), "to": "02.11.2023", "hangupinitor": "1", "names": "1"}
    published |= {"showTreeId": "1", "user": "078332"}

    assert signature(published, "0.test5ecret01") == "62d092a3f01c0a59706c49d60af37ba7"


def test_each_day_of_a_period_is_asked_for() -> None:
    """By the account's calendar; an empty day is an empty table."""
    requests, told = asked("sipuni", SIPUNI, *[VendorAnswer(status=200, body=csv())] * 2, until=DAY + 90_000_000)

    assert [fields(request)["from"] for request in requests] == ["01.11.2023", "02.11.2023"]
    assert [request.path for request in requests] == ["statistic/export"] * 2
    assert told == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "Входящий;Отвечен;01.11.2023 00:10:00;Основная;79161234567;74951234567;201;201;201,202;35;30;5;1700.55;1",
            ToldCall(
                direction=Direction.IN, started_ms=DAY + 600_000, ended_ms=DAY + 635_000, client_phone="+79161234567",
                our_line="+74951234567", answered_ms=DAY + 605_000, answered_by="201", rang=("201", "202"),
                recordings=("1700.55",), result=Result.MISSED,
            ),
        ),
        (
            "Входящий;Не отвечен;01.11.2023 00:10:00;;79161234567;74951234567;;;201;20;0;20;;0",
            ToldCall(
                direction=Direction.IN, started_ms=DAY + 600_000, ended_ms=DAY + 620_000, client_phone="+79161234567",
                our_line="+74951234567", rang=("201",), result=Result.MISSED,
            ),
        ),
        (
            "Исходящий;Отвечен;01.11.2023 00:10:00;;201 Иванов;79161234567;79161234567;201;;0:01:05;60;5;;0",
            ToldCall(
                direction=Direction.OUT, started_ms=DAY + 600_000, ended_ms=DAY + 665_000, client_phone="+79161234567",
                answered_ms=DAY + 605_000, answered_by="201", dialled_by="201", result=Result.NO_ANSWER,
            ),
        ),
    ],
)  # fmt: skip
def test_a_row_of_sipuni_is_read(row: str, expected: ToldCall) -> None:
    """Incoming, missed, outgoing; names beside extensions, lengths in either form."""
    assert sipuni_statistics.read(csv(row)) == [expected]


def test_columns_may_come_in_any_order_and_with_others() -> None:
    """They are read by their names; rows that are none are left out."""
    header = "Время;Новое;Тип;Куда;Откуда;Длительность звонка"
    rows = ["01.11.2023 00:10:00;x;Входящий;74951234567;79161234567;7", "вчера;x;Входящий;1;2;7", "", "a;b"]

    (told,) = sipuni_statistics.read(csv(*rows, header=header))

    assert (told.client_phone, told.ended_ms - told.started_ms) == ("+79161234567", 7_000)


@given(st.text(), st.lists(st.text()))
def test_garbage_is_a_vendors_error_at_worst(header: str, rows: list[str]) -> None:
    """Whatever a table holds."""
    for head in (header, HEADER):
        with contextlib.suppress(VendorError):
            sipuni_statistics.read(csv(*rows, header=head))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (VendorAnswer(status=200, body=b'{"success":false,"message":"wrong hash"}'), VendorCredentials),
        (VendorAnswer(status=429, body=b""), VendorRateLimited),
        (VendorAnswer(status=502, body=b"<html>"), VendorUnavailable),
        (VendorAnswer(status=200, body=b"<html>login</html>"), VendorError),
        (VendorAnswer(status=200, body=b'{"success":true}'), VendorError),
    ],
)
def test_what_is_no_table_is_an_error(answer: VendorAnswer, error: type[VendorError]) -> None:
    """With the word that says what can be done."""
    with pytest.raises(error):
        asked("sipuni", SIPUNI, answer)


def said(content: Any, status: int = 200) -> VendorAnswer:
    return VendorAnswer(status=status, body=msgspec.json.encode(content))


def item(**changed: Any) -> dict[str, Any]:
    """An item of MANGO's, as its documentation has it."""
    member = {
        "call_type": "user", "call_abonent_info": "Иванов", "call_abonent_number": "201", "call_start_time": 1698786600,
        "call_answer_time": 1698786605, "call_end_time": 1698786635, "call_duration": 35, "talk_duration": 30,
        "call_end_reason": 1110, "recording_id": ["rec-1"],
    }  # fmt: skip
    whole = {
        "entry_id": "e1", "context_type": 1, "context_status": 1, "caller_number": "79161234567",
        "called_number": "74951234567", "context_start_time": 1698786600, "duration": 35, "talk_duration": 30,
        "context_calls": [member],
    }  # fmt: skip
    return whole | changed


def report(*items: Any, status: str = "complete") -> VendorAnswer:
    return said({"result": 1000, "status": status, "data": [{"list": list(items)}]})


def test_a_report_of_mango_is_ordered_and_waited_for() -> None:
    """It is asked for until it is ready, five seconds apart."""
    ordered = said({"result": 1000, "key": "K"})

    requests, told = asked("mango", MANGO, ordered, report(status="work"), report(item()))

    paths = [step.seconds if isinstance(step, Pause) else step.path for step in requests]
    assert paths == ["stats/calls/request/", "stats/calls/result/", 5.0, "stats/calls/result/"]
    question = msgspec.json.decode(fields(requests[0])["json"])
    assert question == {
        "start_date": "01.11.2023 00:00:00", "end_date": "01.11.2023 01:00:00", "limit": "5000", "offset": "0",
    }  # fmt: skip
    assert told == [ToldCall(
        call_ref="e1", direction=Direction.IN, started_ms=DAY + 600_000, ended_ms=DAY + 635_000,
        client_phone="+79161234567", our_line="+74951234567", answered_ms=DAY + 605_000, answered_by="201",
        rang=("201",), recordings=("rec-1",), result=Result.CANCELLED,
    )]  # fmt: skip


def test_a_full_page_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until one is not full."""
    monkeypatch.setattr(mango_statistics, "PAGE", 2)
    ordered = said({"result": 1000, "key": "K"})
    pages = [report(item(), item(entry_id="e2")), report(item(entry_id="e3"))]

    requests, told = asked("mango", MANGO, ordered, pages[0], ordered, pages[1])

    assert [one.call_ref for one in told] == ["e1", "e2", "e3"]
    assert [msgspec.json.decode(fields(requests[n])["json"])["offset"] for n in (0, 3)] == ["0", "2"]


def test_a_report_without_one_readable_call_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are counted by what the PBX sent, not by what we could read of it."""
    ordered = said({"result": 1000, "key": "K"})
    strange = item(context_start_time="01.11.2023 00:10:00")

    requests, told = asked("mango", MANGO, ordered, report(strange))
    assert (len(requests), told) == (2, [])

    monkeypatch.setattr(mango_statistics, "PAGE", 2)
    requests, told = asked("mango", MANGO, ordered, report(strange, item()), ordered, report(item(entry_id="e3")))
    assert [one.call_ref for one in told] == ["e1", "e3"]
    orders = [step for step in requests if not isinstance(step, Pause) and step.path == "stats/calls/request/"]
    assert [msgspec.json.decode(fields(one)["json"])["offset"] for one in orders] == ["0", "2"]


def test_reports_are_ordered_no_faster_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One order in two seconds: a second page that came too soon would be refused, and all be asked again."""
    monkeypatch.setattr(mango_statistics, "PAGE", 1)
    ordered = said({"result": 1000, "key": "K"})

    requests, _ = asked("mango", MANGO, ordered, report(item()), ordered, report())

    steps = [step.seconds if isinstance(step, Pause) else step.path for step in requests]
    assert steps == [
        "stats/calls/request/", "stats/calls/result/", 2.0, "stats/calls/request/", "stats/calls/result/",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "answers",
    [
        [report(status="error")],
        [report(status="not-found")],
        [report(status="request")] * REPORT_TRIES,
    ],
)
def test_a_report_that_is_not_made_is_asked_for_later(answers: list[VendorAnswer]) -> None:
    """The PBX could not, forgot it, or takes for ever."""
    with pytest.raises(VendorUnavailable):
        asked("mango", MANGO, said({"result": 1000, "key": "K"}), *answers)


@given(st.dictionaries(st.sampled_from([*item()]), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_whatever_an_item_holds_it_is_a_call_or_none(changed: dict[str, Any]) -> None:
    """Numbers as texts, lists where none belong."""
    mango_statistics.read(item(**changed), lambda _code, _direction: Result.UNKNOWN)


def test_a_report_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends the same page for ever."""
    monkeypatch.setattr(mango_statistics, "PAGE", 1)
    monkeypatch.setattr(mango_statistics, "MOST_PAGES", 3)
    ordered = said({"result": 1000, "key": "K"})

    with pytest.raises(VendorUnavailable):
        asked("mango", MANGO, *(ordered, report(item())) * 4)
