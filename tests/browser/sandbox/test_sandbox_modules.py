"""The host's modules, controls and right column, as widgets use them."""

from typing import Any

import pytest
from conftest import Host
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def with_modules(page: Page, names: list[str], body: str) -> Any:
    """Run the body of a function whose parameters are these modules, `done` and `$`."""
    parameters = ", ".join(f"module{index}" for index in range(len(names)))
    script = f"names => new Promise((done, refuse) => requirejs(names, ({parameters}) => {{ {body} }}, refuse))"
    return await page.evaluate(script, names)


async def test_modal_obeys_its_options(host: Host) -> None:
    """Overlay, Escape, cancel and Enter as told; container, animation classes, focus, templates loaded before init."""
    host.install("constructing")
    page = await host.open("/contacts/add/")
    opened = await with_modules(
        page,
        ["lib/components/base/modal"],
        """window.ended = 0;
           const content = '<input class="here"><button class="js-modal-accept">ok</button>'
             + '<a class="js-modal-cancel">no</a>';
           new module0({class_name: 'firm', container: document.getElementById('popups_wrapper'), default_overlay: true,
             disable_overlay_click: true, disable_escape_keydown: true, disable_cancel_click: true,
             disable_enter_keydown: true, init_animation: true, centrify_animation: true, focus_element: '.here',
             preload_templates: [{href: '/templates/hello.twig', base_path: '/upl/constructing/widget'}],
             destroy: () => { ended += 1; },
             init: $body => {
               $body.trigger('modal:loaded').html(content).trigger('modal:centrify').trigger('modal:loaded');
               $body.on('click', '.js-modal-accept', () => { ended += 10; });
               done($('#popups_wrapper > .modal.firm.modal_animated > .default-overlay').length); }});""",
    )
    assert opened == 1
    assert await page.evaluate("document.activeElement.className") == "here"
    assert await page.locator(".firm .modal-body.modal-body_moving").count() == 1

    await page.keyboard.press("Escape")
    await page.mouse.click(3, 3)
    await page.click(".firm .js-modal-cancel")
    assert await page.evaluate("ended") == 0
    await page.evaluate("$('.firm .modal-body__close').click()")
    assert await page.evaluate("[ended, $('.firm').length]") == [1, 0]


async def test_modal_closes_by_overlay_cancel_and_follows_the_window(host: Host) -> None:
    """By default a click beside it, a cancel and Escape close it, Enter accepts, and a resize centres it again."""
    page = await host.open("/dashboard/")
    open_one = """window.told = [];
      new module0({class_name: 'soft', destroy: () => told.push('closed'), init: $body => {
        $body.append('<p>text</p><button class="js-modal-accept">ok</button><a class="js-modal-cancel">no</a>')
          .on('modal:centrify', () => told.push('centred'))
          .on('click', '.js-modal-accept', () => told.push('accepted')).trigger('modal:loaded'); done(true); }});"""
    for close in ("overlay", "cancel", "key"):
        await with_modules(page, ["lib/components/base/modal"], open_one)
        if close == "overlay":
            await page.set_viewport_size({"width": 1000, "height": 700})
            await page.wait_for_function("told.includes('centred')")
            await page.mouse.click(3, 3)
        elif close == "cancel":
            await page.click(".soft .js-modal-cancel")
        else:
            await page.evaluate("$('.soft .modal-body').focus()")
            await page.keyboard.press("Enter")
            assert "accepted" in await page.evaluate("told")
            await page.keyboard.press("Escape")
        assert await page.evaluate("[told.includes('closed'), $('.soft').length]") == [True, 0]


async def test_modal_shows_an_error_without_options(host: Host) -> None:
    """new Modal()._showError(text), as an official sample calls it."""
    page = await host.open("/dashboard/")

    await with_modules(page, ["lib/components/base/modal"], "new module0()._showError('беда'); done(true)")

    assert await page.inner_text(".modal.is-visible .modal-body__error") == "беда"


async def test_confirm_asks_and_runs_the_answer(host: Host) -> None:
    """Accept runs accept, anything else runs decline."""
    page = await host.open("/dashboard/")
    ask = """window.told = []; const accept = () => told.push('yes'), decline = () => told.push('no');
             new module0({text: 'Удалить?', accept, decline}); done(1)"""
    for answer, told in ((".js-modal-accept", "yes"), (".js-modal-cancel", "no"), (".modal-body__close", "no")):
        await with_modules(page, ["lib/components/base/confirm"], ask)
        assert "Удалить?" in await page.inner_text(".modal-confirm")
        await page.click(f".modal-confirm {answer}")
        assert await page.evaluate("told") == [told]


async def test_small_modules_of_the_host(host: Host) -> None:
    """cookie, fn, router and urlparams."""
    page = await host.open("/contacts/add/?phone=+79990001122&a=1&a=2&b=x%20y")

    found = await with_modules(
        page,
        ["lib/common/cookie", "lib/common/fn", "lib/common/urlparams"],
        """module0.set('mine', 'да; нет'); const kept = module0.get('mine'); module0.remove('mine');
           const u = module2;
           done({kept, gone: module0.get('mine') === undefined,
             escaped: module1.escapeHTML('<b>&"'), none: module1.escapeHTML(null),
             phone: u.getQueryParam('phone'), b: u.getQueryParam('b'), missing: u.getQueryParam('none'),
             json: u.QStoJSON('a=1&a=2&b=3'), deep: u.QStoJSON('f[x]=1&f[y]=2&g[]=3', true),
             text: u.QStoJSON({a: 1, b: [2, 3]}),
             set: u.setQueryParam({b: null, c: '5'}, {only_query_string: true}),
             removed: u.removeQueryParam(['phone', 'a']), query: u.getQueryString().includes('a=1'),
             path: u.setParam({page: 3}, {only_path: true}), part: [u.getParam('contacts'), u.getParam('detail')]});""",
    )

    assert found == {
        "kept": "да; нет",
        "gone": True,
        "escaped": "&lt;b&gt;&amp;&quot;",
        "none": "",
        "phone": "+79990001122",
        "b": "x y",
        "missing": False,
        "json": {"a": ["1", "2"], "b": "3"},
        "deep": {"f": {"x": "1", "y": "2"}, "g": {"0": "3"}},
        "text": "a=1&b[]=2&b[]=3",
        "set": "?phone=+79990001122&a=1&a=2&c=5",
        "removed": "b=x+y",
        "query": True,
        "path": "/contacts/add/page/3/",
        "part": [0, False],
    }
    await with_modules(page, ["lib/common/router"], "module0.navigate('/leads/list/', {trigger: true}); done(1)")
    await host.ready()
    assert await page.evaluate("APP.getWidgetsArea()") == "leads"


async def test_notes_and_player_can_be_built_by_widgets(host: Host) -> None:
    """notes.View can be extended and holds a collection; new Player puts a player where a link is."""
    page = await host.open("/dashboard/")

    found = await with_modules(
        page,
        ["lib/components/notes/notes", "lib/components/base/player"],
        """const Own = module0.View.extend({own: 1}); const view = new Own({el: '#page_holder', notes: [{id: 5}]});
           $('#page_holder').append('<div id="talk" data-link="/a.mp3" data-duration="65"></div>');
           new module1({selector: '#talk', $container: $('#page_holder')});
           done([view.own, view.notes.pluck('id'), $('#talk .js-player').attr('data-link'),
             $('#talk .player__time').text()]);""",
    )

    assert found == [1, [5], "/a.mp3", "1:05"]


async def test_controls_tell_what_was_chosen(host: Host) -> None:
    """A select fires change on its hidden input and leaves disabled items alone; a drop-down names what is ticked."""
    page = await host.open("/dashboard/")
    await with_modules(
        page,
        ["twigjs"],
        """window.seen = [];
           const put = (name, params) =>
             $('#page_holder').append(module0({ref: `/tmpl/controls/${name}.twig`}).render(params));
           const two = {id: 'b', option: 'Два', additional_data: 'data-more="5"'};
           put('select', {id: 'sel', name: 'sel', selected: 'a',
             items: [{id: 'a', option: 'Один'}, two, {id: 'c', option: 'Нет', disabled: true}]});
           put('checkboxes_dropdown', {id: 'drop', name: 'drop[]', title_empty: 'Ничего',
             items: [{id: 1, option: 'Раз'}]});
           put('checkbox', {id: 'box', name: 'box', value: '7', text: 'Да'});
           put('radio', {name: 'rad', selected: 2, items: [{id: 1, option: 'x'}, {id: 2, option: 'y'}]});
           put('date_field', {id: 'day', name: 'day', value: '2026-01-02'});
           put('textarea', {id: 'area', style: {width: '90px'}, value: '<t>'});
           $(document).on('change', '#sel, #box', ({target}) => seen.push([target.id, target.value, target.checked]));
           done(1);""",
    )
    await page.click("#page_holder .control--select--button")
    await page.evaluate("$('#page_holder .control--select--list--item[data-value=c]').click()")
    assert await host.seen() == []
    await page.click("#page_holder .control--select--button")
    await page.click("#page_holder .control--select--list--item[data-more='5']")
    await page.check("#box")
    assert await host.seen() == [["sel", "b", False], ["box", "7", True]]
    assert await page.inner_text("#page_holder .control--select--button") == "Два"

    title = page.locator("#drop .checkboxes_dropdown__title")
    assert await title.inner_text() == "Ничего"
    await page.click("#drop .checkboxes_dropdown__title_wrapper")
    await page.check("#drop input")
    assert await title.inner_text() == "Раз"
    assert await page.evaluate("$('[name=rad]:checked').val()") == "2"
    assert await page.input_value("#day") == "2026-01-02"
    assert await page.evaluate("[$('#area').val(), $('#area').css('width')]") == ["<t>", "90px"]


async def test_suggest_asks_its_address_and_lets_the_widget_answer(host: Host) -> None:
    """#q# in params, suggest:loaded with the answer, suggest:reset with own rows, suggest:changed in the end."""
    page = await host.open("/dashboard/")
    asked: list[str] = []

    async def answer(route: Any) -> None:
        asked.append(route.request.url.partition("?")[2])
        await route.fulfill(json={"status": "ok", "result": [{"id": 5, "name": "Пять"}]})

    await page.route("**/private/ajax/search.php*", answer)
    await with_modules(
        page,
        ["twigjs"],
        """window.seen = [];
           $('#page_holder').append(module0({ref: '/tmpl/controls/suggest.twig'}).render({
             id: 'who', input_class_name: 'js-who',
             ajax: {url: '/private/ajax/search.php', params: 'contacts=all&q=#q#'}}));
           $('.js-who').on('suggest:loaded', (event, data, $list) => {
             $list.trigger('suggest:reset', [data.result.map(row => ({id: row.id, text: row.name + '!'}))]); })
             .on('suggest:changed', (event, $item) => seen.push($item.data('value-id')));
           done(1);""",
    )
    await page.fill("#who", "пя")
    await page.click(".control--suggest--list--item >> text=Пять!")

    assert asked[-1] == "contacts=all&q=%D0%BF%D1%8F"
    assert await host.seen() == [5]
    assert await page.input_value("#who") == "Пять!"


async def test_buttons_follow_the_events_widgets_trigger(host: Host) -> None:
    """button:load:start and :stop, button:enable and :disable, and those of the Save button."""
    page = await host.open("/dashboard/")
    await with_modules(
        page,
        ["twigjs"],
        """$('#page_holder').append(module0({ref: '/tmpl/controls/button.twig'}).render({
             id: 'go', text: 'Go', disabled: true, class_name: 'mine', tab_index: 3})); done(1);""",
    )
    states = []
    for event in ("button:enable", "button:load:start", "button:load:stop", "button:save:start", "button:saved",
                  "button:save:start", "button:save:error", "button:disable", "button:save:enable"):  # fmt: skip
        states.append(
            await page.evaluate(
                "name => { $('#go').trigger(name);"
                " return [$('#go').prop('disabled'), $('#go').hasClass('button-input_loading'),"
                " $('#go').hasClass('button-input-disabled')]; }",
                event,
            )
        )

    free, busy, off = [False, False, False], [True, True, False], [True, False, True]
    assert states == [free, busy, free, busy, free, busy, free, off, free]


async def test_right_column_keeps_its_rules(host: Host) -> None:
    """First block open, a caption folds only in the open panel, a click on the closed one opens it; events tell."""
    host.install("constructing", "official")
    contact = next(iter(host.world.contacts))["id"]
    page = await host.open(f"/contacts/detail/{contact}")
    await page.wait_for_selector(".card-widgets__widget-official")
    await page.evaluate(
        """() => { window.told = [];
             const names = 'toggleWidgetPanel widgets_body:change_state widgets:card-minimized widgets:card-maximized';
             $(document).on(names, (event, fact) =>
               told.push([event.type, typeof fact === 'object' ? fact.state : fact])); }"""
    )
    bodies = "$('.card-widgets__widget__body').map((i, one) => $(one).hasClass('js-body-hide')).get()"
    assert sorted(await page.evaluate(bodies)) == [False, True]
    block = await page.evaluate(
        "[$('#widgets_block').hasClass('_with-scroll'), $('.js-card-widgets-cap').hasClass('_with-widgets'),"
        " $('#widgets_block, #card_holder, #card_fake').filter('.js-widgets-active').length]"
    )
    assert block == [True, True, 3]

    await page.click(".card-widgets__top")
    assert await page.evaluate("document.cookie.includes('contacts_crd_wdgt=0')")
    before = await page.evaluate(bodies)
    await page.evaluate("$('.js-widget-caption-block').first().click()")
    assert await page.evaluate(bodies) == before
    assert await page.evaluate("$('#card_holder').hasClass('content__card-holder-widgets')")
    await page.evaluate("$('.js-widget-caption-block').first().click()")
    arrow = "$('.card-widgets__widget__caption__arrow').first().attr('class')"
    folded = "widgets__widget__caption__arrow_bottom" in await page.evaluate(arrow)
    assert (await page.evaluate(bodies))[0] is not folded

    assert [one for one in await page.evaluate("told") if one[0] != "widgets_body:change_state"] == [
        ["toggleWidgetPanel", False], ["widgets:card-maximized", None],
        ["toggleWidgetPanel", True], ["widgets:card-minimized", None],
    ]  # fmt: skip
    await page.click(".card-widgets__top")
    await page.evaluate("$(document).trigger('openWidgetPanel')")
    assert await page.evaluate("$('#widgets_block').hasClass('js-widgets-active')")


async def test_list_has_the_column_as_an_overlay(host: Host) -> None:
    """widgetsOverlay(true) lays the panel over the list, a click beside it or widgetsOverlay(false) takes it away."""
    host.install("lasting")
    page = await host.open("/contacts/list/")
    shown = "[$('#card_widgets_overlay').hasClass('is-visible'), $('#widgets_block').hasClass('js-widgets-active')]"
    assert await page.locator("#widgets_block #nano-card-widgets.in_list").count() == 1

    await page.evaluate("APP.widgets.list.lasting.render_template({render: '<p>{{ a }}</p>'}, {a: 'в списке'})")
    await page.evaluate("APP.widgets.list.lasting.widgetsOverlay(true)")
    assert await page.evaluate(shown) == [True, True]
    assert await page.inner_text(".card-widgets__widget-lasting p") == "в списке"
    await page.mouse.click(300, 500)
    assert await page.evaluate(shown) == [False, False]
    await page.evaluate("APP.widgets.list.lasting.widgetsOverlay(true); APP.widgets.list.lasting.widgetsOverlay(false)")
    assert await page.evaluate(shown) == [False, False]
