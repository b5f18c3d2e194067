"""The rules of amoCRM, each with the test that pins it down; what API clients expect first is in `expectations.py`.

The table feeds `docs/reference/sandbox.md`; a test checks that every named test exists. *as amoCRM*: documented or
seen, and done so. *switch*: nobody knows, both can be had. *not yet*: with the reason.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what amoCRM does, how faithful the sandbox is, which test says so."""

    text: str
    test: str
    fidelity: str = "as amoCRM"


RULES: Final = (
    Rule("a code lives 20 minutes and works once", "test_a_code_lives_twenty_minutes"),
    Rule("long-lived tokens are ordinary Bearers", "test_a_long_lived_token_is_an_ordinary_bearer"),
    Rule("the install hook is a GET, 3 s, never repeated", "test_switching_a_widget_on_calls_the_install_hook_once"),
    Rule(
        "the disable hook is signed",
        "test_switching_a_widget_off_revokes_tokens_and_tells_with_a_signature",
        "switch: disable_hook_parameter",
    ),
    Rule("X-Context-User-ID acts as another user", "test_an_administrators_token_acts_as_another_user"),
    Rule("the page's session opens the API", "test_the_pages_session_opens_the_api"),
    Rule(
        "7 requests a second per integration, 50 per account: 429, then 403",
        "test_who_does_not_listen_to_429_is_blocked",
        "switch: limit_integration_per_s, limit_account_per_s, limit_violations_to_block, limit_block_s, limit_page",
    ),
    Rule("Kommo counts requests by address, and has its own base_domain", "test_the_brands_differ", "switch: brand"),
    Rule("a batch has at most 250 entities, 50 complex leads, 10 users", "test_a_batch_has_its_limit"),
    Rule("rights A, G, M, D decide what a user sees", "test_a_user_sees_what_the_rights_allow", "switch: view_denied"),
    Rule("a role gives its rights; a status right goes first", "test_a_role_gives_its_rights_to_who_has_it"),
    Rule("rights to customers are those to leads", "test_rights_to_customers_are_those_to_leads"),
    Rule("users are created ten at most, 201", "test_users_are_created_ten_at_most_with_201"),
    Rule("leads are filtered by statuses, price, times, pipeline, creator",
         "test_leads_are_filtered_by_what_the_documentation_lists"),
    Rule("field filters where they are paid for", "test_the_alpha_filter_finds_by_a_field_where_it_is_paid_for",
         "switch: alpha_filter"),
    Rule("with=only_deleted lists the bin", "test_deleted_leads_are_listed_when_asked"),
    Rule("a lone time in a filter means since", "test_a_lone_time_means_since"),
    Rule("each type of field takes its own values", "test_each_type_takes_its_own_values"),
    Rule("a choice is made by value, code or id", "test_a_choice_is_made_by_value_code_or_id"),
    Rule("fields: POST and PATCH 201, DELETE 204 with their values", "test_a_deleted_field_takes_its_values_along"),
    Rule("groups hold fields", "test_groups_hold_fields"),
    Rule("a new pipeline has the system statuses", "test_a_new_pipeline_has_the_system_statuses"),
    Rule("leads of a deleted status go to the first one", "test_statuses_are_added_changed_and_deleted"),
    Rule("tags are one per name and kind of entity", "test_tags_are_created_once_per_name_and_kind"),
    Rule("`_embedded.tags: null` takes all tags away", "test_null_takes_all_tags_away"),
    Rule("tags of leads are renamed and coloured", "test_a_tag_of_leads_is_renamed_and_coloured"),
    Rule("a lost lead tells its reason", "test_a_lost_lead_tells_its_reason"),
    Rule("a source belongs to its integration and decides the pipeline",
         "test_a_source_belongs_to_its_integration_and_names_leads"),
    Rule("sources are deleted one by one or by the list, all or none", "test_sources_are_deleted_by_the_list"),
    Rule("the responsible user follows a card", "test_the_responsible_user_follows_a_card"),
    Rule("a short link leads on and tells which contact followed it",
         "test_a_short_link_leads_to_its_address_and_tells_who_followed"),
    Rule("statuses or segments of customers, by mode: 422 in the wrong one",
         "test_the_mode_decides_between_statuses_and_segments", "switch: customers"),
    Rule("purchases add up", "test_purchases_add_up"),
    Rule("elements of catalogs are linked with a quantity", "test_catalogs_have_elements_with_fields"),
    Rule("links of many entities at once", "test_links_of_many_entities_are_listed_made_and_undone"),
    Rule("one note of an entity is pinned", "test_one_note_of_an_entity_is_pinned"),
    Rule("every type of note keeps its params", "test_every_type_of_note_keeps_its_params"),
    Rule("closest_task_at follows the open tasks", "test_the_next_task_of_an_entity_is_known"),
    Rule("10, 8 and 7 digits are compared: calls, events, query", "test_ten_eight_and_seven_digits_are_compared",
         "switch: calls_digits, event_digits, query_digits"),
    Rule("a search answers in the order of ids", "test_a_search_answers_in_the_order_of_ids"),
    Rule("one open lead or one customer gets the call, not both",
         "test_one_open_lead_or_one_customer_but_not_both", "switch: customers"),
    Rule("Kommo knows no customers in this rule", "test_kommo_knows_no_customers_in_this_rule", "switch: brand"),
    Rule("deleted leads and customers do not count", "test_deleted_leads_and_customers_do_not_count"),
    Rule("a lead in Unsorted is not open", "test_a_lead_in_unsorted_is_not_open"),
    Rule("a list with holes, as PHP writes it, is a list", "test_a_list_with_holes_as_php_writes_it_is_a_list"),
    Rule("the same uniq twice", "test_the_same_uniq_twice_is_a_switch", "switch: calls_uniq"),
    Rule("when and how a call's note is seen", "test_a_note_may_be_visible_late",
         "switch: note_visible_after_s, note_uniq"),
    Rule("a call event reaches the named users", "test_a_call_event_reaches_the_named_users",
         "switch: event_digits, events_reach"),
    Rule("the events list tells calls and changes", "test_calls_and_changes_are_in_the_events_list"),
    Rule("an update is told member by member", "test_an_update_is_told_member_by_member"),
    Rule("unsorted records wait, are accepted, declined, and go when the number is known",
         "test_the_record_goes_when_its_number_becomes_a_contact",
         "switch: unsorted_exact_duplicates, unsorted_gone_with_contact"),
    Rule("forms wait like calls", "test_a_form_waits_like_a_call"),
    Rule("only chats are linked", "test_a_chat_is_linked_with_a_lead"),
    Rule("leads/complex with metadata goes into Unsorted", "test_a_complex_lead_with_metadata_waits_in_unsorted"),
    Rule("webhooks are forms with PHP brackets", "test_a_new_contact_is_told_as_a_form_with_brackets"),
    Rule("companies arrive under contacts", "test_companies_arrive_under_contacts"),
    Rule("every event is delivered", "test_every_event_is_delivered"),
    Rule("accept and decline arrive as unsorted[delete]", "test_sorting_is_told_as_a_deletion"),
    Rule("a task's webhook has the old names", "test_a_tasks_webhook_has_the_old_names"),
    Rule("2 s, then 5 min, 15 min, and for 5xx 15 min, 1 h", "test_a_broken_receiver_is_tried_twice_more",
         "switch: webhook_time_scale, webhook_timeout_s"),
    Rule("over 100 failures in 2 h switch a webhook off", "test_too_many_failures_switch_a_webhook_off"),
    Rule("widget settings are for their own integration",
         "test_the_widgets_api_shows_settings_to_their_own_integration_only"),
    Rule("/api/v2 adds and updates in one request, by JSON or form", "test_json_and_forms_with_brackets_say_the_same"),
    Rule("/api/v2 has its own shapes of the same entities",
         "test_a_contact_of_the_present_api_has_the_earlier_shape"),
    Rule("/api/v2 tells refused items beside stored ones; no errors member without errors",
         "test_an_update_older_than_what_is_stored_is_refused_alone"),
    Rule("limit_rows, limit_offset, If-Modified-Since", "test_if_modified_since_shows_what_changed"),
    Rule("/api/v2/calls tells unknown numbers with code 263 and status 200",
         "test_a_call_is_logged_by_its_number_and_unknown_ones_told_apart", "switch: calls_digits, calls_uniq"),
    Rule("incoming_leads: from calls, to answers; accept and decline by uids", "test_a_call_waits_and_is_accepted",
         "switch: unsorted_exact_duplicates"),
    Rule("/private answers {\"response\": {…, server_time}}, refusals with error and error_code",
         "test_a_request_without_sense_is_400_in_the_envelope"),
    Rule("companies are called contacts in company/set", "test_companies_are_called_contacts"),
    Rule("auth.php opens a session for login and API key, 401 with code 110 otherwise",
         "test_a_wrong_key_is_401_with_code_110"),
    Rule("USER_LOGIN and USER_HASH in an address open the API", "test_a_key_in_every_address_needs_no_session"),
    Rule("contact_search.php: XML with id, name, company, is_company", "test_the_old_search_answers_in_xml",
         "switch: query_digits"),
    Rule("data survive a restart with --state", "test_everything_survives_a_restart"),
    Rule("published clients of PyPI and npm work unchanged",
         "test_entities_are_made_changed_fetched_and_found"),
    Rule("telephony integrations work in their order and shapes",
         "test_asterisk_falls_back_to_unsorted_when_nobody_has_the_number"),
    Rule("whatever is sent is answered in time, below 500, refusals of the API as problem+json",
         "test_no_body_query_header_or_path_breaks_it"),
    Rule("/sandbox/openapi.json is true", "test_made_up_requests_are_answered_as_described"),
)  # fmt: skip

NOT_YET: Final = (
    (
        "/api/v2/{fields, catalogs, webhooks, widgets}, incoming_leads/form, /private's other nouns, /api/unsorted",
        "what published clients of the earlier APIs did beside telephony; /api/v4 has the living ones",
    ),
    (
        "the 18 hours of /api/calls/add",
        "a call whose number nobody has is taken and forgotten: no client can see the queue",
    ),
    (
        "talks, chats and their templates, files, buttons on a site",
        "not telephony; their webhooks can be subscribed to, the channel inbox:talks stays silent",
    ),
    (
        "/api/v4/currencies, /api/v4/catalogs/products/settings, /api/v4/users/{activate, deactivate}, "
        "/oauth2/exchange_api_key",
        "settings and a migration that no telephony needs",
    ),
    ("fields of the type chained_list", "a paid option that no published client fills in"),
    ("external integrations made by the button on a site", "the format of the button's request is not documented"),
    ("duplicate control", "off by default in amoCRM; leads/complex always answers merged: false"),
    (
        "triggers that fire, bots that speak, /api/v2/salesbot/run, /api/v4/bots",
        "widgets' dialogs for them work; what they do in amoCRM is not telephony",
    ),
    (
        "locations mobile_card, ai_agent, amoforms, whatsapp_modal",
        "they belong to an app or to parts that are not here",
    ),
    ("legal_handlers, onSource, loadCatalogElement", "nothing says what they get, or when"),
    ("/widgets/<subdomain>/loader/…, /tmpl/ beside the controls", "PHP inside amoCRM and its own templates: closed"),
    ("deleting entities by the API", "amoCRM's API has no such method; the page deletes, and POST /sandbox/bin"),
)
