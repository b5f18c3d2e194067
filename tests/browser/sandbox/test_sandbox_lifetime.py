"""What becomes of a widget whose callbacks promise, throw, or are missing, and of the page around it."""

import pytest
from conftest import Host

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STARTED = ["render", "init", "bind_actions"]

# Breaks at the point of its life that the address names: ?at=init
BREAKING = """
define([], function () {
  const at = new URLSearchParams(location.search).get('at');
  const pass = (name, answer) => { if (at === name) throw new Error(name + ' is broken'); return answer; };
  return function () {
    pass('constructor');
    this.callbacks = {
      render: () => pass('render', at === 'rejection' ? Promise.reject(new Error('rejection is broken')) : true),
      init: () => { setTimeout(() => pass('timer'), 0); return pass('init', true); },
      bind_actions: async () => pass('promise', pass('bind_actions', true)),
      destroy: () => pass('destroy', true),
    };
    if (at && at.startsWith('without_')) delete this.callbacks[at.slice(8)];
  };
});
"""


def widget(render: str) -> str:
    """A widget that is only this render, with the callbacks that must be there."""
    return f"""define(['jquery'], function ($) {{
      return function () {{
        this.callbacks = {{ render: {render}, init: () => true, bind_actions: () => true, destroy: () => true }};
      }};
    }});"""


@pytest.mark.parametrize(
    ("at", "ran"),
    [
        ("constructor", []),
        ("render", ["render"]),
        ("init", ["render", "init"]),
        ("bind_actions", STARTED),
        ("timer", STARTED),
        ("promise", STARTED),
        ("rejection", ["render", "bind_actions"]),
    ],
)
async def test_what_breaks_is_logged_and_the_page_lives_on(host: Host, at: str, ran: list[str]) -> None:
    """An exception, a rejection or an uncaught error of one widget is told under its name; others start as ever."""
    host.write("breaking", BREAKING)
    host.install("truthy")

    await host.open(f"/dashboard/?at={at}")
    assert await host.world.log.wait("error", widget="breaking")

    assert host.callbacks("breaking") == ran
    assert host.errors("breaking") == [f"{at} is broken"]
    assert host.callbacks("truthy") == STARTED
    await host.go("/contacts/list/")
    assert await host.page.locator("tr[data-row-id]").count() == 50


@pytest.mark.parametrize(("at", "ran"), [("init", STARTED), ("render", ["render", "bind_actions"])])
async def test_start_may_go_on_after_an_exception(host: Host, at: str, ran: list[str]) -> None:
    """With the switch `callback_exception: continue` the callbacks after the broken one run too."""
    host.world.switches.set({"callback_exception": "continue"})
    host.write("breaking", BREAKING)

    await host.open(f"/dashboard/?at={at}")

    assert host.callbacks("breaking") == ran


@pytest.mark.parametrize("name", STARTED)
async def test_each_of_the_three_callbacks_is_needed(host: Host, name: str) -> None:
    """A widget that lacks render, init or bind_actions is dropped before anything runs, and it is said which."""
    host.write("breaking", BREAKING)

    await host.open(f"/dashboard/?at=without_{name}")

    assert host.callbacks("breaking") == []
    assert await host.page.evaluate("Object.keys(APP.widgets.list)") == []
    assert len(host.errors("breaking")) == 1


async def test_broken_destroy_does_not_keep_the_widget(host: Host) -> None:
    """A widget whose destroy throws is gone all the same, and the next page starts it anew."""
    host.write("breaking", BREAKING)
    await host.open("/dashboard/?at=destroy")

    await host.go("/contacts/list/")

    assert host.callbacks("breaking") == [*STARTED, "destroy", *STARTED]
    assert host.errors("breaking") == ["destroy is broken"]


@pytest.mark.parametrize(
    ("render", "ran"),
    [
        ("() => 1", STARTED),
        ("() => 'text'", STARTED),
        ("() => ({})", STARTED),
        ("() => undefined", ["render", "bind_actions"]),
        ("() => null", ["render", "bind_actions"]),
        ("() => 0", ["render", "bind_actions"]),
        ("async () => false", ["render", "bind_actions", "init"]),
        ("() => $.Deferred().resolve().promise()", ["render", "bind_actions", "init"]),
        ("() => ({ then: done => setTimeout(done, 5) })", ["render", "bind_actions", "init"]),
    ],
)
async def test_answer_of_render_decides_the_order(host: Host, render: str, ran: list[str]) -> None:
    """Truthy: init, bind_actions. Anything with `then`, whatever it resolves to: bind_actions, init. Falsy: no init."""
    host.write("answering", widget(render))

    await host.open("/dashboard/")

    assert host.callbacks("answering") == ran


async def test_promise_that_outlives_its_widget_starts_nothing(host: Host) -> None:
    """When render resolves after the area was left, the destroyed instance gets no init; the new one does."""
    host.write("late", widget("() => new Promise(done => { (window.waiting = window.waiting || []).push(done); })"))
    await host.page.goto(host.url("/dashboard/"))
    await host.page.wait_for_function("window.waiting && window.waiting.length === 1")

    await host.page.evaluate("APP.router.navigate('/contacts/list/', {trigger: true})")
    await host.page.wait_for_function("window.waiting.length === 2")
    await host.page.evaluate("waiting.forEach(done => done())")
    await host.ready()

    assert host.callbacks("late") == ["render", "bind_actions", "destroy", "render", "bind_actions", "init"]


async def test_installing_and_removing_are_told_on_the_document(host: Host) -> None:
    """`widget:installed` and `widget:removed` carry the code; removing leads to destroy."""
    host.install("fields", active=False)
    await host.open("/settings/widgets/fields/")
    await host.page.evaluate(
        "$(document).on('widget:installed widget:removed', (event, code) => seen.push([event.type, code]))"
    )
    await host.page.fill("input[name=title]", "x")
    await host.page.click(".js-widget-install")
    await host.page.wait_for_selector(".widget-settings__modal", state="detached")
    await host.ready()

    await host.page.click(".js-widget-tile[data-code=fields]")
    await host.page.click(".js-widget-uninstall")
    await host.page.wait_for_selector(".widget-settings__modal", state="detached")

    told = [one for one in await host.seen() if isinstance(one, list)]
    assert told == [["widget:installed", "fields"], ["widget:removed", "fields"]]
    assert host.callbacks("fields")[-2:] == ["onSave", "destroy"]


async def test_widget_that_runs_elsewhere_is_destroyed_when_disconnected(host: Host) -> None:
    """onSave with active N, then destroy, also for a widget that the settings page itself does not start."""
    host.write(
        "elsewhere",
        """define([], () => function () { this.callbacks = { render: () => true, init: () => true,
             bind_actions: () => true, onSave: data => { (window.seen = []).push(data.active); return true; },
             destroy: () => { window.seen.push('destroy'); } }; });""",
        locations=["lcard-1"],
    )
    await host.open("/settings/widgets/elsewhere/")

    await host.page.click(".js-widget-uninstall")
    await host.page.wait_for_selector(".widget-settings__modal", state="detached")

    assert await host.seen() == ["N", "destroy"]


async def test_namespaced_handlers_leave_with_their_widget(host: Host) -> None:
    """What was bound to document under `self.ns` is unbound by destroy; a handler without it stays, as in amoCRM."""
    host.write(
        "binding",
        """define(['jquery'], $ => function () { const self = this; this.callbacks = { render: () => true,
             init: () => { $(document).on('ping' + self.ns, () => seen.push('own')).on('ping', () => seen.push('bare'));
               return true; },
             bind_actions: () => true, destroy: () => true }; });""",
        locations=["llist-1"],
    )
    await host.page.add_init_script("window.seen = [];")
    await host.open("/leads/list/")

    await host.go("/dashboard/")
    await host.page.evaluate("$(document).trigger('ping')")

    assert await host.seen() == ["bare"]


async def test_list_of_widgets_is_asked_for_once_in_half_an_hour(host: Host) -> None:
    """The answer is kept per user and widgets' version: a second visit asks nothing, a change of a widget asks anew."""
    host.install("truthy")

    def asked() -> int:
        return sum(one["path"] == "/ajax/widgets/list" for one in host.world.log.entries("request"))

    await host.open("/dashboard/")
    await host.open("/dashboard/")
    assert asked() == 1
    kept = await host.page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('widgets:'))")
    user = host.users[0]["id"]
    assert [key.split(":")[1] for key in kept] == [str(user)]

    await host.page.evaluate(
        """key => { const kept = JSON.parse(localStorage.getItem(key));
                    localStorage.setItem(key, JSON.stringify({...kept, at: kept.at - 31 * 60 * 1000})); }""",
        kept[0],
    )
    await host.open("/dashboard/")
    assert asked() == 2
    host.install("falsy")
    await host.open("/dashboard/")
    assert asked() == 3
    assert host.callbacks("falsy") == ["render", "bind_actions"]


async def test_spoilt_storage_is_no_obstacle(host: Host) -> None:
    """A widget that writes nonsense under the host's keys, or fills the storage, cannot stop the next page."""
    host.install("truthy")
    await host.open("/dashboard/")
    await host.page.evaluate(
        """() => { Object.keys(localStorage).forEach(key => localStorage.setItem(key, '{"at": 9e15, broken'));
                   Storage.prototype.setItem = () => { throw new Error('full'); }; }"""
    )

    await host.go("/contacts/list/")
    await host.go("/dashboard/")

    assert host.callbacks("truthy")[-3:] == STARTED


async def test_card_that_is_not_there_is_a_page_with_widgets(host: Host) -> None:
    """An unknown card shows that there is none; widgets start as on any page of its area."""
    host.install("cards_only")

    await host.open("/contacts/detail/999999")

    assert host.callbacks("cards_only") == STARTED
    assert await host.page.evaluate("[APP.data.current_card, APP.isCard()]") == [False, False]
    assert any("HTTP 404" in message for message in host.errors())


async def test_module_that_cannot_be_had_drops_its_widget_at_once(host: Host) -> None:
    """A missing dependency, or a factory that throws, is told; the page is ready without waiting for anything."""
    host.write("lacking", "define(['./none.js', 'lib/none'], () => function () {});")
    host.write("failing", "define([], () => { throw new Error('no factory'); });")
    host.install("truthy")

    await host.open("/dashboard/")

    assert await host.page.evaluate("Object.keys(APP.widgets.list)") == ["truthy"]
    assert host.callbacks("lacking") == host.callbacks("failing") == []
    assert any("no factory" in message for message in host.errors())


async def test_files_of_the_archive_come_by_plugins(host: Host) -> None:
    """text!, json! and css! take files beside the script; a style sheet is attached."""
    host.write(
        "plugged",
        """define(['text!./a.txt', 'json!./a.json', 'css!./a.css'], (text, json) => function () {
             this.callbacks = { render: () => { window.seen = [text, json]; return true; },
               init: () => true, bind_actions: () => true }; });""",
        files={"a.txt": "слово", "a.json": '{"a": [1]}', "a.css": "#page_holder { outline: 3px solid rgb(1, 2, 3); }"},
    )

    await host.open("/dashboard/")

    assert await host.seen() == ["слово", {"a": [1]}]
    assert await host.page.evaluate("$('#page_holder').css('outline-color')") == "rgb(1, 2, 3)"


async def test_answer_without_the_sdk_is_no_widget(host: Host) -> None:
    """A constructor that returns a bare object is dropped with words; nobody else notices."""
    host.write("bare", "define([], () => function () { return { callbacks: {} }; });")
    host.install("truthy")

    await host.open("/dashboard/")

    assert await host.page.evaluate("Object.keys(APP.widgets.list)") == ["truthy"]
    assert "without the SDK" in host.errors("bare")[0]


async def test_widget_may_replace_what_the_host_gave_it(host: Host) -> None:
    """set_settings, get_settings and i18n of its own are the widget's affair; its settings arrive all the same."""
    host.write(
        "replacing",
        """define([], () => function () { const self = this;
             this.set_settings = () => { throw new Error('never asked'); };
             this.get_settings = () => ({own: true}); this.set_lang = () => {}; this.i18n = () => 'моё';
             const render = () => { window.seen = [self.params.widget_code, self.langs.widget.name]; return 1; };
             this.callbacks = { render, init: () => true, bind_actions: () => true }; });""",
    )

    await host.open("/dashboard/")

    assert await host.seen() == ["replacing", "replacing"]
    assert host.callbacks("replacing") == STARTED


async def test_handler_that_throws_on_the_document_stops_nothing(host: Host) -> None:
    """A widget's broken handler of page:changed or widgets:load is told; the page is drawn and started all the same."""
    host.write(
        "listening",
        """define(['jquery'], $ => function () { this.callbacks = { render: () => true, bind_actions: () => true,
             init: () => $(document).on('page:changed widgets:load toggleWidgetPanel widget:truthy:loaded', event => {
               throw new Error(event.type + ' is broken'); }) }; });""",
        widget={"init_once": True},
    )
    host.install("truthy", "cards_only")
    await host.open("/dashboard/")

    await host.go(f"/contacts/detail/{next(iter(host.world.contacts))['id']}")

    assert host.callbacks("truthy")[-3:] == STARTED
    assert host.callbacks("cards_only") == STARTED
    assert {"page:changed is broken", "widgets:load is broken"} <= set(host.errors())
