/** Life of the host's form controls wherever widgets put them: select, drop-down of check boxes, suggest, button states. */
define(['jquery'], function ($) {
  'use strict';

  const LIST = 'control--select--list-opened';

  const closeAll = () =>
    $(`.${LIST}`).removeClass(LIST).siblings('.control--select--button').attr('aria-expanded', 'false');

  function toggle($select) {
    const $list = $select.children('.control--select--list');
    const wasOpen = $list.hasClass(LIST);
    closeAll();
    $list.toggleClass(LIST, !wasOpen);
    $select.children('.control--select--button').attr('aria-expanded', String(!wasOpen));
  }

  function choose($item) {
    const $select = $item.closest('.control--select');
    const value = String($item.data('value'));
    $item
      .addClass('control--select--list--item-selected')
      .siblings()
      .removeClass('control--select--list--item-selected');
    $select
      .children('.control--select--button')
      .attr('data-value', value)
      .find('.control--select--button-inner')
      .text($item.text().trim());
    closeAll();
    $select.children('.control--select--input').val(value).trigger('change');
  }

  function dropdownTitle($box) {
    const checked = $box
      .find('.js-item-checkbox-dropdown:checked')
      .map((index, one) => $(one).data('value'))
      .get();
    const $title = $box.find('.checkboxes_dropdown__title');
    $title.text(checked.join(', ') || $title.data('empty') || '');
  }

  async function suggest($input) {
    const url = $input.data('url');
    const $list = $input.siblings('.control--suggest--list');
    if (url) {
      const answer = await $.ajax({ url, data: { q: $input.val() }, dataType: 'json' }).then(null, () =>
        $.Deferred().resolve([]),
      );
      $list.empty().append(
        (Array.isArray(answer) ? answer : Object.values(answer)).map((one) =>
          $('<li class="control--suggest--list--item">')
            .attr('data-value-id', one.id)
            .text(one.option || one.name || one),
        ),
      );
    } else {
      const typed = String($input.val()).toLowerCase();
      $list.children().each((index, one) => $(one).toggle($(one).text().toLowerCase().includes(typed)));
    }
    $list.addClass('is-opened');
  }

  function pick($item) {
    const $box = $item.closest('.control--suggest');
    $box.find('.control--suggest--input-hidden').val($item.attr('data-value-id')).trigger('change');
    $box.find('.control--suggest--input').val($item.text().trim()).trigger('change');
    $item.parent().removeClass('is-opened');
  }

  function bindButtons($document) {
    const state = (event, isBusy) =>
      $(event.target).closest('.button-input').toggleClass('button-input_loading', isBusy).prop('disabled', isBusy);
    $document
      .on('button:load:start button:save:start', '.button-input', (event) => state(event, true))
      .on('button:load:stop button:saved button:save:error', '.button-input', (event) => state(event, false))
      .on('button:enable button:save:enable', '.button-input', (event) =>
        $(event.target).closest('.button-input').prop('disabled', false).removeClass('button-input-disabled'),
      )
      .on('button:disable button:save:disable', '.button-input', (event) =>
        $(event.target).closest('.button-input').prop('disabled', true),
      );
  }

  function bind() {
    const $document = $(document);
    bindButtons($document);
    $document
      .on('click.host-controls', '.control--select--button', (event) => {
        event.preventDefault();
        event.stopPropagation();
        toggle($(event.currentTarget).parent());
      })
      .on('click.host-controls', '.control--select--list--item', (event) => choose($(event.currentTarget)))
      .on('click.host-controls', closeAll)
      .on('click.host-controls', '.checkboxes_dropdown__title_wrapper', (event) =>
        $(event.currentTarget).parent().toggleClass('expanded'),
      )
      .on('change.host-controls', '.js-item-checkbox-dropdown', (event) =>
        dropdownTitle($(event.currentTarget).closest('.checkboxes_dropdown')),
      )
      .on('input.host-controls focus.host-controls', '.control--suggest > .control--suggest--input', (event) =>
        suggest($(event.currentTarget)),
      )
      .on('click.host-controls', '.control--suggest--list--item', (event) => pick($(event.currentTarget)))
      .on('change.host-controls', '.control-checkbox input', (event) => {
        $(event.currentTarget).closest('.control-checkbox').toggleClass('is-checked', event.currentTarget.checked);
      });
  }

  return { bind };
});
