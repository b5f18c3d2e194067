"""The SDK of the host page as a table: everything a widget can see, how faithful it is, and the test that pins it down.

The table feeds `docs/reference/sandbox.md`; a browser walks it on a real page and finds neither a member missing there
nor one that is not in the table. Callbacks, events and rules are in `sdk_life`, modules, controls and markup in
`sdk_markup`.
"""

from typing import Final

from server.sandbox.page.sdk_life import LIFE
from server.sandbox.page.sdk_markup import MARKUP
from server.sandbox.page.sdk_member import Member, of

_SELF: Final = (
    *of("self", "test_constructor_sees_system_and_constants_only", {
        "system": "() → {area, amouser, amouser_id (a string), amohash, subdomain, domain, server, …}; a fresh copy",
    }),
    *of("self", "test_settings_carry_the_hosts_own_members", {
        "params": "the settings: own fields, path, widget_code, version, images_path, status, widget_active, id, …",
        "get_settings": "() → params, the live object",
        "get_version": "() → the manifest's version",
    }),
    *of("self", "test_settings_and_catalog_are_kept_in_memory", {
        "set_settings": "(object) merges into params, in memory only",
        "langs": "the words of the user's language",
        "set_lang": "(object) replaces langs",
        "setSdkCatalogId": "(id) is remembered; there are no catalogs",
    }),
    *of("self", "test_i18n_knows_paths_sections_and_forgives_unknown_keys", {
        "i18n": "(key or dotted path) → text or section; '' for an unknown one",
        "ns": ".widget:<code>, for handlers on document",
    }),
    *of("self", "test_init_once_only_renders_again", {"init_once": "whether navigation leaves the widget alone"}),
    *of("self", "test_settings_window_shows_every_state", {
        "get_install_status": "() → install, installed, not_configured, or what set_status said",
        "set_status": "(error, installed, install) also shown in the open settings window",
    }),
    *of("self", "test_render_promises_every_form", {
        "render": "({ref} or {data}) → text at once; ({href, base_path, v, load(template, params)}); promised",
    }),
    *of("self", "test_render_template_fills_the_right_column", {
        "render_template": "({caption: {class_name, html}, body, render}, params) draws the block of the right column",
    }),
    *of("self", "test_list_has_the_column_as_an_overlay", {"widgetsOverlay": "(bool) the panel over a list"}),
    *of("self", "test_more_runs_selected_with_the_ticked_rows", {
        "list_selected": "() → {selected: [{id, type, emails, phones}], summary, count_selected}",
    }),
    *of("self", "test_action_gets_the_number_as_typed_and_the_form", {
        "add_action": "(phone or email, fn({value, type, model})) an item in the menu of numbers and addresses",
    }),
    *of("self", "test_official_sample_sends_messages_for_the_host", {
        "add_source": "(sms, chat, email or custom, handler, text) a way of writing below the feed of a card",
    }),
    *of("self", "test_crm_post_waits_its_turn_and_tells_both_ways", {
        "crm_post": "(url, data, success, type, error) from the server, one a second",
    }, "switch: proxy_body"),
    *of("self", "test_authorized_ajax_carries_a_signed_one_time_token", {
        "$authorizedAjax": "(options) → Deferred; X-Auth-Token of the widget's integration",
    }, "switch: one_time_token, one_time_token_life_s"),
    *of("self", "test_pipeline_and_account_are_promised", {
        "get_accounts_current": "() → promise of APP.constant('account')",
        "get_pipeline_id": "() → promise of the pipeline on screen, or the main one",
    }),
    *of("self", "test_current_card_contacts_come_without_a_request", {
        "get_current_card_contacts_data": "() → promise of [{id, name, first_name, last_name, phones, emails}]",
    }),
    *of("self", "test_channels_tell_of_deals_cards_desk_and_releases", {
        "listenSocketChannel": "(channel, keys, fn) → unsubscribe(); inbox:talks may be listened to and stays silent",
    }),
    *of("self", "test_what_breaks_is_logged_and_the_page_lives_on", {"callbacks": "the widget's own, see below"}),
)  # fmt: skip

_APP: Final = (
    *of("APP", "test_every_area_has_its_names", {
        "APP.getBaseEntity": "leads, contacts, …, widgetsSettings",
        "APP.getWidgetsArea": "the area of this page",
        "APP.getV3WidgetsArea": "its deprecated twin",
    }),
    *of("APP", "test_official_sample_draws_its_panel_and_its_modal", {
        "APP.isCard": "whether this is a card",
        "APP.click_event": "click",
        "APP.data.is_card": "the same as a value",
        "APP.data.current_entity": "leads, contacts, …",
        "APP.data.current_view": "{$el} of the page",
    }),
    *of("APP", "test_page_speaks_the_users_language", {
        "APP.lang_id": "ru or en",
        "APP.lang": "the host's words",
        "APP.addLang": "(object) adds a widget's words to them",
    }),
    *of("APP", "test_constants_have_what_widgets_read", {
        "APP.constant": "(key[, value]) reads or sets",
        "APP.constant('account')": "id, name, subdomain, timezone, language, paid_till, cf, predefined_cf, users, …",
        "APP.constant('user')": "id, name, login, lang, personal_mobile",
        "APP.constant('user_rights')": "the user's rights",
        "APP.constant('managers')": "by id: id, title, option, login, active, is_admin, free_user, group, online, …",
        "APP.constant('groups')": "{group_0: name}",
        "APP.constant('task_types')": "by id: id, option, color, icon_id",
        "APP.constant('widgets')": "{all: {code: {active: Y or N}}}",
        "APP.constant('card_id')": "of the card on screen",
        "APP.constant('session_token')": "a random text",
        "APP.constant('geoip_country')": "the account's country",
    }),
    *of("APP", "test_constants_have_what_widgets_read", {
        "APP.constant('current_brand')": "amocrm or kommo",
    }, "switch: brand"),
    *of("APP", "test_release_reloads_the_page_unless_a_call_is_on", {
        "APP.constant('version')": "release of the host",
        "APP.constant('version_backend')": "release of its server",
        "APP.sdk.setCallingStatus": "(bool) while true a release does not reload the page",
        "APP.sdk.getCallingStatus": "() → bool",
    }, "switch: core_version"),
    *of("APP", "test_list_of_widgets_is_asked_for_once_in_half_an_hour", {
        "APP.constant('widgets_cache_version')": "changes whenever a widget does",
        "APP.widgets.list": "running widgets by code",
    }),
    *of("APP", "test_current_card_saves_and_tells_after", {
        "APP.data.current_card": "false where there is no card",
        "APP.data.current_card.id": "0 for a new one",
        "APP.data.current_card.$el": "the card",
        "APP.data.current_card.element_type": "1 contact, 2 lead, 3 company, 12 customer",
        "APP.data.current_card.model": "a Backbone model: ID, contact[NAME], company[ID], CFV[…]",
        "APP.data.current_card.contacts": "as get_current_card_contacts_data gives them",
        "APP.data.current_card.main_contact": "its id",
        "APP.data.current_card.save": "([{afterSave({id, name})}]) → promise",
        "APP.data.current_card.checkChanges": "() whether anything is typed and not saved",
        "APP.data.current_card.user": "who is responsible",
        "APP.data.current_card.tags": "names",
    }),
    *of("APP", "test_card_page_has_the_feed_as_a_view", {
        "APP.data.card_page": "null where there is no card",
        "APP.data.card_page.notes": "a view whose collection `notes` tells notes:updated",
        "APP.data.card_page.el": "the card's element",
    }),
    *of("APP", "test_models_of_the_contact_list_tell_contacts_from_companies", {
        "APP.data.current_list": "a Backbone collection: id, name {text, url}, element_type, company_name, checked",
    }),
    *of("APP", "test_sdk_table_and_page_name_the_same_members", {
        "APP.element_types": "contacts 1, leads 2, companies 3, …",
        "APP.cf_types": "numbers of field types",
    }),
    *of("APP", "test_who_is_online_and_whether_the_tab_is_seen", {
        "APP.sdk.showUserStatus": "([id or 'online']) → {id: {id, online}}, ids, or bool",
        "APP.ifvisible.on": "(blur or focus, fn)",
        "APP.ifvisible.now": "() whether the tab is seen",
    }),
    *of("APP", "test_call_card_shows_who_calls_and_leads_to_the_element", {
        "APP.notifications.add_call": "(data, {done, fail, always}) kept, shown on every page of the user",
    }),
    *of("APP", "test_add_error_tells_the_message_id_by_done_and_always", {
        "APP.notifications.add_error": "(data, {done, fail, always}) kept; once closed it is not shown again",
    }),
    *of("APP", "test_messages_stay_on_this_screen", {
        "APP.notifications.show_message": "({header, text, date, icon})",
        "APP.notifications.show_message_error": "({header, text, date, link, without_header}, callbacks)",
        "APP.notifications.show_notification": "({text: {header, text}, date, type: call or error})",
    }),
    *of("APP", "test_feed_hands_over_exactly_the_documented_members", {
        "APP.addNotificationCallback": "(code, fn) every notification, for init_once widgets",
    }),
    *of("APP", "test_column_is_hidden_when_no_widget_counts_there", {
        "APP.widgets.system.displayed_count_by_area": "blocks of the right column by card area, and everywhere",
    }),
    *of("APP", "test_constructor_sees_system_and_constants_only", {
        "APP.widgets.system.amouser": "login",
        "APP.widgets.system.amouser_id": "id, as a text",
        "APP.widgets.system.amohash": "empty: API keys of users are gone",
        "APP.widgets.system.area": "as system().area",
        "APP.widgets.system.subdomain": "of the account",
        "APP.widgets.system.domain": "amocrm.ru or kommo.com",
        "APP.widgets.system.server": "host and port",
    }),
    *of("APP", "test_softphone_icon_stands_in_the_left_menu", {
        "APP.widgets.notificationsPhone": "({ns, click}) the phone icon in the left menu",
        "APP.widgets.destroyNotificationsPhone": "({ns})",
    }),
    *of("APP", "test_sdk_table_and_page_name_the_same_members", {
        "APP.widgets.legal_handlers": "an array; nothing asks it: what its functions get is not documented",
    }, "not yet"),
    *of("APP", "test_small_modules_of_the_host", {
        "APP.router.navigate": "(url, {trigger, replace}) inside the page",
    }),
    *of("APP", "test_sdk_table_and_page_name_the_same_members", {
        "APP.router.start": "the host's own",
    }, "the sandbox's own"),
    *of("APP", "test_recording_may_be_exchanged_before_it_plays", {
        "APP.player_prepare": "[code] = fn($player), before a recording plays",
    }),
)  # fmt: skip

_GLOBALS: Final = (
    *of("global", "test_modern_bundle_uses_what_the_page_has", {
        "APP": "the host",
        "AMOCRM": "the same object",
        "$": "jQuery 2.1.3",
        "jQuery": "the same",
        "_": "underscore",
        "Backbone": "backbone",
        "moment": "moment",
        "define": "RequireJS",
        "require": "RequireJS; jquery, underscore, backbone, moment, twigjs and modal are there at once",
        "requirejs": "RequireJS",
    }),
    *of("global", "test_sdk_table_and_page_name_the_same_members", {
        "SANDBOX_BOOT": "what the page starts from",
        "Twig": "left there by the library",
    }, "the sandbox's own"),
)  # fmt: skip

SDK: Final[tuple[Member, ...]] = (*_SELF, *_APP, *_GLOBALS, *LIFE, *MARKUP)
