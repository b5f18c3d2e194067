/** A new task for the card on screen, in a window. */
define([
  'jquery',
  'host/app',
  'host/here',
  'host/html',
  'host/texts',
  'host/trace',
  'lib/components/base/modal',
  'moment',
], function ($, app, here, html, text, trace, Modal, moment) {
  'use strict';

  const type = (one, index) => html`<label class="todo-type" data-id="${one.id}"><input type="radio" name="task_type" value="${one.id}"
    ${html.raw(index ? '' : 'checked')}>${one.option}</label>`;

  const markup = () => html`<form class="js-task-form"><h2 class="modal-body__caption head_2">${text('task.new')}</h2>
    <div class="modal-body__inner__todo-types">${Object.values(app.constant('task_types')).map(type)}</div>
    <textarea class="text-input" name="text" rows="3" required aria-label="${text('task.text')}" placeholder="${text('task.text')}"></textarea>
    <input class="text-input" type="date" name="till" value="${moment().add(1, 'day').format('YYYY-MM-DD')}" aria-label="${text('column.till')}">
    <div class="modal-body__actions"><button type="submit" class="button-input button-input_blue js-modal-accept"><span class="button-input-inner">${text('task.add')}</span></button>
    <button type="button" class="button-cancel js-modal-cancel">${text('modal.cancel')}</button></div></form>`;

  function open() {
    const modal = new Modal({
      class_name: 'modal-task',
      focus_element: 'textarea',
      init: ($body) => $body.append(String(markup())).trigger('modal:loaded').trigger('modal:centrify'),
    });
    modal.$modal_body.on('submit', '.js-task-form', (event) => {
      event.preventDefault();
      add(new FormData(event.currentTarget), modal);
    });
  }

  async function add(form, modal) {
    const task = {
      task_type_id: Number(form.get('task_type')),
      text: form.get('text'),
      complete_till: moment(form.get('till')).endOf('day').unix(),
      entity_id: app.data.current_card.id,
      entity_type: here.place.entity,
    };
    try {
      await $.ajax({
        url: '/api/v4/tasks',
        method: 'POST',
        contentType: 'application/json',
        data: JSON.stringify([task]),
      });
      modal.destroy();
    } catch (request) {
      trace.error(null, 'task', new Error(`HTTP ${request.status} ${request.responseText || ''}`));
      modal.showError(text('card.not_saved', { status: request.status }));
    }
  }

  return { bind: () => $(document).on('click.host-task', '.js-task-new', open) };
});
