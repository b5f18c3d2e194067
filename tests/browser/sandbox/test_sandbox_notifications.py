"""The notification centre: what widgets send, what the server pushes, who sees it and what closes it."""

from typing import Any

import pytest
from conftest import Host

from server.sandbox import notifications

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

POPUP = "#notifications_popups .notification__item"
CALL = {"text": "<b>Анна</b>", "header": "Входящий", "from": "+79001112233", "to": "Ольга", "duration": 65}


async def add_call(host: Host, **members: Any) -> None:
    await host.page.evaluate("data => new Promise(done => APP.notifications.add_call(data, {always: done}))", members)


async def test_call_card_shows_who_calls_and_leads_to_the_element(host: Host) -> None:
    """add_call draws header, HTML text, both sides and the length; a click opens the element's card."""
    contact = next(iter(host.world.contacts))
    await host.open("/dashboard/")

    await add_call(host, **CALL, element={"id": contact["id"], "type": "contact", "name": "Анна"})

    card = host.page.locator(f"{POPUP}.notification-call")
    text = await card.inner_text()
    assert all(part in text for part in ("Входящий", "Анна", "+79001112233 → Ольга", "1:05"))
    await card.click(position={"x": 120, "y": 20})
    await host.page.wait_for_url(f"**/contacts/detail/{contact['id']}")


async def test_unknown_caller_leads_to_a_new_contact(host: Host) -> None:
    """Without an element, click_link is where a click goes."""
    await host.open("/dashboard/")

    await add_call(host, text="+79990001122", click_link="/contacts/add/?phone=+79990001122")
    await host.page.click(f"{POPUP} .js-notification-go")

    await host.page.wait_for_url("**/contacts/add/?phone=+79990001122")


async def test_call_is_shown_in_every_tab_of_the_user(host: Host) -> None:
    """add_call of one tab appears in the user's other tabs, once in each."""
    await host.open("/dashboard/")
    other = await host.page.context.new_page()
    await other.goto(host.url("/contacts/list/"))
    await other.wait_for_selector("html[data-sandbox=ready]", state="attached")

    await add_call(host, **CALL)

    await other.wait_for_selector(POPUP)
    assert await other.locator(POPUP).count() == 1
    assert await host.page.locator(POPUP).count() == 1


async def test_call_is_no_business_of_other_users(host: Host) -> None:
    """Another user's page shows nothing of it."""
    await host.open("/dashboard/")
    stranger = await (await host.page.context.browser.new_context()).new_page()  # type: ignore[union-attr]
    await stranger.goto(host.url(f"/sandbox/login?user={host.users[1]['id']}"))
    await stranger.wait_for_selector("html[data-sandbox=ready]", state="attached")

    await add_call(host, **CALL)
    await host.page.wait_for_selector(POPUP)

    kept = await stranger.evaluate("$.getJSON('/ajax/page/notifications')")
    assert kept == {"notifications": []}
    assert await stranger.locator(POPUP).count() == 0
    await stranger.context.close()


async def test_event_of_the_server_reaches_the_open_page(host: Host) -> None:
    """POST /api/v2/events shows its card on the pages of the users it names."""
    await host.open("/dashboard/")

    await host.page.evaluate(
        """users => $.ajax({url: '/api/v2/events', method: 'POST', contentType: 'application/json',
             data: JSON.stringify({add: [{type: 'phone_call', phone_number: '+79990001122', users}]})})""",
        [host.users[0]["id"]],
    )

    assert "+79990001122" in await host.page.locator(POPUP).inner_text()


async def test_feed_callback_gets_the_documented_shape(host: Host) -> None:
    """addNotificationCallback of an init_once widget receives every notification once."""
    host.install("phone")
    await host.open("/dashboard/")

    await add_call(host, text="+79990001122", click_link="/contacts/add/?phone=+79990001122")

    (entry,) = await host.seen()
    notification = entry["notification"]
    assert notification["uuid"] == notification["id"] == notification["notification_id"]
    assert notification["body"]["rows"][0] == {"style": "default", "text": "+79990001122", "class_height": "h3"}
    assert notification["click"] == {"type": "url", "value": "/contacts/add/?phone=+79990001122"}
    assert notification["body"]["icon"]["call"] is True


async def test_add_error_tells_the_message_id_by_done_and_always(host: Host) -> None:
    """add_error calls done and always with the id the server gave; the pop-up is an error."""
    await host.open("/dashboard/")

    called = await host.page.evaluate(
        """() => new Promise(finish => { const seen = [];
             APP.notifications.add_error({header: 'Образец', text: 'Сломалось'}, {
               done: answer => seen.push(['done', answer.id]), fail: () => seen.push(['fail']),
               always: () => setTimeout(() => finish(seen.concat([['always']])), 0) }); })"""
    )

    (kept,) = host.world.notifications
    assert called == [["done", kept["id"]], ["always"]]
    assert await host.page.locator(f"{POPUP}.notification-error").inner_text() != ""


async def test_add_error_fails_when_the_server_does(host: Host) -> None:
    """When the notification cannot be kept, fail and always are called."""
    await host.open("/dashboard/")
    await host.page.route("**/ajax/page/notifications", lambda route: route.fulfill(status=503))

    called = await host.page.evaluate(
        """() => new Promise(finish => { const seen = [];
             APP.notifications.add_error({text: 'Сломалось'}, {
               done: () => seen.push('done'), fail: () => seen.push('fail'),
               always: () => setTimeout(() => finish(seen), 0) }); })"""
    )

    assert called == ["fail"]


async def test_closing_a_card_deletes_it_from_the_feed(host: Host) -> None:
    """The cross removes the card, the line in the centre and the stored notification."""
    await host.open("/dashboard/")
    await add_call(host, **CALL)

    async with host.page.expect_response("**/v3/inbox/delete"):
        await host.page.click(f"{POPUP} .js-notification-close")

    assert await host.page.locator(".notification__item").count() == 0
    assert len(host.world.notifications) == 0


async def test_feed_survives_a_reload_without_popping_up_again(host: Host) -> None:
    """After a reload the centre still lists the call; nothing pops up."""
    await host.open("/dashboard/")
    await add_call(host, **CALL)

    await host.open("/dashboard/")
    await host.page.click(".js-notifications-toggle")

    assert await host.page.locator("#notifications_center .notification__item").count() == 1
    assert await host.page.locator(POPUP).count() == 0


async def test_messages_stay_on_this_screen(host: Host) -> None:
    """show_message, show_message_error and show_notification are drawn, logged and kept nowhere."""
    await host.open("/dashboard/")

    await host.page.evaluate(
        """() => { APP.notifications.show_message({header: 'Робот', text: 'Раз'});
             APP.notifications.show_message_error({header: 'скрыт', text: 'Два', without_header: true});
             APP.notifications.show_notification({type: 'call', text: {header: 'Звонок', text: 'Три'}}); }"""
    )
    shown = await host.page.locator(POPUP).all_inner_texts()
    await host.world.log.wait("notification", method="show_notification")

    assert ["Робот" in shown[0], "скрыт" in shown[1], "Три" in shown[2]] == [True, False, True]
    assert host.payloads("show_message") == [{"header": "Робот", "text": "Раз"}]
    assert len(host.world.notifications) == 0


async def test_every_payload_is_logged_as_it_was_given(host: Host) -> None:
    """GET /sandbox/log has the exact argument of add_call."""
    await host.open("/dashboard/")

    await add_call(host, **CALL)
    await host.world.log.wait("notification", method="add_call")

    assert host.payloads("add_call") == [CALL]


async def test_page_catches_up_when_its_wire_is_back(host: Host) -> None:
    """A notification nobody pushed to this page, for its socket was down, appears when the socket opens again."""
    await host.open("/dashboard/")
    payload = notifications.call_payload(host.world, phone="+79990001122", entity=None)
    host.world.notifications.add(
        {"id": payload["id"], "user_id": host.users[0]["id"], "is_read": False, "body": payload}
    )

    await host.page.evaluate("$(document).trigger('host:socket:open')")

    await host.page.wait_for_selector(POPUP)
