"""The SDK's table, third part: when the host calls a widget, what it says on the document, and the rules of both."""

from typing import Final

from server.sandbox.page.sdk_member import Member, of

_CALLBACKS: Final = (
    *of("callback", "test_answer_of_render_decides_the_order", {
        "render": "() → truthy: init, bind_actions; thenable: bind_actions, init; falsy: bind_actions only",
        "init": "() after a render that did not refuse",
        "bind_actions": "() once",
    }),
    *of("callback", "test_leaving_an_area_destroys_and_starts_anew", {"destroy": "() when the area is left"}),
    *of("callback", "test_official_sample_is_reached_from_triggers_bots_and_sources", {
        "settings": "($modal_body, {source_id, external_id} or {}) the settings window is open",
        "dpSettings": "() the dialog of a trigger is open, on /settings/pipeline/leads/; triggers never fire",
        "salesbotDesignerSettings": "($body, renderRow, params) → {exits}",
        "onSalesbotDesignerSave": "(handler_code, params) → the bot's program; bots do not speak",
        "onAddAsSource": "(pipeline_id)",
    }),
    *of("callback", "test_every_kind_of_field_is_saved_in_its_form", {
        "onSave": "({active, fields}) → false or a rejection: not saved",
    }, "switch: users_field"),
    *of("callback", "test_installing_saves_then_tells_then_starts", {"onInstall": "() once, after the first onSave"}),
    *of("callback", "test_official_sample_has_its_own_settings_page", {"advancedSettings": "() after bind_actions"}),
    *of("callback", "test_requiring_class_has_pages_in_the_left_menu", {
        "initMenuPage": "({location, item_code, subitem_code}) without item_code below analytics and settings",
    }),
    *of("callback", "test_official_sample_takes_ticked_rows_of_every_list", {
        "contacts.selected": "() contacts, and companies without a callback of their own",
        "companies.selected": "() companies",
        "leads.selected": "() leads",
        "todo.selected": "() tasks",
        "tasks.selected": "() its older name",
    }),
    *of("callback", "test_modern_bundle_is_called_in_the_list_of_customers", {"customers.selected": "() customers"}),
    *of("callback", "test_official_sample_links_goods_in_its_tab", {
        "loadPreloadedData": "() → promise of rows {id, sku, name, price}",
        "loadElements": "({id, type}, id) → promise of linked rows with quantity",
        "searchDataInCard": "(query, type, id) → promise of rows",
        "linkCard": "([{action, from, from_id, to_id, quantity}]); these members are our reading, none is documented",
    }),
    *of("callback", "", {
        "onSource": "nothing says when amoCRM calls it",
        "loadCatalogElement": "there are no catalogs",
    }, "not yet"),
)  # fmt: skip

_EVENTS: Final = (
    *of("event", "test_loaded_event_comes_between_render_and_init", {
        "widget:<code>:loaded": "between render and init",
    }),
    *of("event", "test_page_changed_is_told_after_each_navigation", {
        "page:changed": "after a navigation",
        "widgets:load": "a round of starts begins",
    }),
    *of("event", "test_installing_and_removing_are_told_on_the_document", {
        "widget:installed": "(code)",
        "widget:removed": "(code) leads to destroy",
    }),
    *of("event", "test_right_column_keeps_its_rules", {
        "openWidgetPanel": "asks for the right column",
        "toggleWidgetPanel": "after it opened or closed",
        "widgets_body:change_state": "({$el, state}) one widget was folded",
        "widgets-in-card:show": "the card has blocks to show",
        "widgets:card-minimized": "the column is open",
        "widgets:card-maximized": "the column is closed",
    }),
    *of("event", "test_buttons_follow_the_events_widgets_trigger", {
        "button:load:start": "on a button: busy",
        "button:load:stop": "on a button: free again",
        "button:enable": "on a button",
        "button:disable": "on a button",
        "button:save:enable": "on the Save button",
        "button:save:start": "on the Save button",
        "button:saved": "on the Save button",
        "button:save:error": "on the Save button",
    }),
    *of("event", "test_modal_shows_after_loaded_and_may_refuse_to_close", {
        "modal:loaded": "on the body of a modal: show it",
        "modal:centrify": "on the body of a modal: centre it",
    }),
    *of("event", "test_menu_names_the_action_by_call_action", {"tip:show": "the menu of a number opens"}),
    *of("event", "test_suggest_asks_its_address_and_lets_the_widget_answer", {
        "suggest:loaded": "(answer, $list) on a suggest",
        "suggest:reset": "(rows) to its list",
        "suggest:changed": "($item) on a suggest",
    }),
)  # fmt: skip

_RULES: Final = (
    *of("rule", "test_list_of_widgets_is_asked_for_once_in_half_an_hour", {
        "the list of widgets is kept 30 minutes": "per user and widgets_cache_version, in localStorage",
    }),
    *of("rule", "test_what_breaks_is_logged_and_the_page_lives_on", {
        "what throws is caught": "shown in the developer bar and logged; uncaught errors and rejections too",
    }, "switch: callback_exception"),
    *of("rule", "test_each_of_the_three_callbacks_is_needed", {
        "render, init and bind_actions must be there": "or the widget is dropped",
    }),
    *of("rule", "test_billing_page_starts_nothing", {"/settings/pay/ starts no widgets": "whatever their locations"}),
    *of("rule", "test_locations_decide_where_a_widget_starts", {
        "locations decide": "with suffix -0 a block does not count for the right column; everywhere never does",
    }),
    *of("rule", "test_promise_that_outlives_its_widget_starts_nothing", {
        "navigation does not wait for promises": "a destroyed instance gets no init",
    }),
    *of("rule", "test_disconnecting_asks_onsave_then_destroys", {"disconnecting": "onSave with N, then destroy"}),
    *of("rule", "test_missing_required_field_stops_the_installation", {
        "required fields": "stop Install and Save before the widget is asked",
    }),
    *of("rule", "test_plain_text_in_a_custom_field_does_not_persist", {"custom fields": "keep JSON and numbers only"}),
    *of("rule", "test_relative_and_json_dependencies_resolve_beside_the_script", {
        "modules beside the script": "./x.js?v=1, json!, text!, css!, full addresses",
    }),
    *of("rule", "test_requiring_class_returns_another_object_and_awaits", {
        "a constructor may return another object": "if it has the prototype; callbacks may be async",
    }),
    *of("rule", "test_every_kind_of_field_is_saved_in_its_form", {
        "settings fields": "text, pass, users, users_lp, custom in their forms",
    }, "switch: users_field"),
    *of("rule", "test_users_settings_may_be_parsed_or_read", {
        "per-user settings": "objects that JSON.parse takes as well: widgets do either",
    }, "switch: users_field"),
    *of("rule", "test_window_stays_open_when_the_save_button_says_so", {
        "data-onsave-destroy-modal": "unless true on Save, the settings window stays open after saving",
    }),
    *of("rule", "test_accounts_address_written_in_full_is_this_page", {
        "https://<subdomain>.<domain>/…": "in fetch, XMLHttpRequest and the router: this page's own origin",
    }),
    *of("rule", "test_requiring_class_has_pages_in_the_left_menu", {
        "left_menu": "items, order, sub-items, is_hidden",
    }),
    *of("rule", "test_new_contact_comes_with_the_phone_and_is_saved", {"/contacts/add/?phone=": "fills the number in"}),
    *of("rule", "test_widgets_change_settings_by_the_pages_own_endpoint", {
        "the page's own endpoints": "/ajax/widgets/list, edit; /ajax/<entity>/list/; merge; multiactions; by session",
    }),
)  # fmt: skip

LIFE: Final[tuple[Member, ...]] = (*_CALLBACKS, *_EVENTS, *_RULES)
