// @shevernitskiy/amo (npm): typed wrappers over fetch. It puts `https://` before the host it is given: hence hosts.cjs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import amo from '@shevernitskiy/amo';
import { serve } from './line.mjs';

const LIST = { contacts: 'getContacts', companies: 'getCompanies', leads: 'getLeads' };
const ADD = { contacts: 'addContacts', companies: 'addCompanies', leads: 'addLeads' };
const CHANGE = { contacts: 'updateContactById', companies: 'updateCompaniesById', leads: 'updateLeadById' };
const ONE = { contacts: 'getContactById', companies: 'getCompanyById', leads: 'getLeadById' };
const ROOM = { contacts: 'contact', companies: 'company', leads: 'lead' };

let client, connect;

const first = (answer, name) => answer._embedded[name][0];

/** Its errors are made by classes that lose themselves when they extend Error; what they carry tells them apart. */
function nameOf(error) {
  if (error.response) return error.response.hint ? 'AuthError' : 'ApiError';
  return /^204 /.test(error.message) ? 'NoContentError' : 'HttpError';
}

/** A list as this client gives it: NoContentError stands for an empty one. */
async function listed(asking, name) {
  try {
    return (await asking)._embedded[name];
  } catch (error) {
    if (nameOf(error) === 'NoContentError') return [];
    throw error;
  }
}

await serve({
  open({ account, integration, storage, pair }) {
    const kept = join(storage, 'token.json');
    const auth = {
      client_id: integration.id, client_secret: integration.secret, redirect_uri: integration.redirect_uri,
    };
    const options = { request_delay: 0, on_token: (token) => writeFileSync(kept, JSON.stringify(token)) };
    connect = (more) => { client = new amo.Amo(account.host, { ...auth, ...more }, options); };
    if (pair) connect({ ...pair, expires_at: Date.now() + pair.expires_in * 1000 });
    else if (existsSync(kept)) connect(JSON.parse(readFileSync(kept, 'utf-8')));
  },
  async sign_in({ code }) {
    connect({ code, grant_type: 'authorization_code' });
    await client.account.getAccount();
  },
  account: async () => (await client.account.getAccount({ with: ['amojo_id', 'task_types'] })).id,
  create: async ({ noun, item }) => first(await client[ROOM[noun]][ADD[noun]]([item]), noun).id,
  change: async ({ noun, key, item }) => { await client[ROOM[noun]][CHANGE[noun]](key, item); },
  async fetch({ noun, key }) {
    const { id, name, created_by } = await client[ROOM[noun]][ONE[noun]](key);
    return { id, name, created_by };
  },
  find: async ({ noun, query }) => (await listed(client[ROOM[noun]][LIST[noun]]({ query }), noun)).map(({ id }) => id),
  async walk({ noun }) {
    const ids = [];
    for (let page = 1; ; page += 1) {
      const part = await listed(client[ROOM[noun]][LIST[noun]]({ page, limit: 250 }), noun);
      if (!part.length) return ids;
      ids.push(...part.map(({ id }) => id));
    }
  },
  add_note: async ({ noun, key, note }) =>
    first(await client.note.addNotes(noun, [{ entity_id: key, ...note }]), 'notes').id,
  async notes({ noun, key }) {
    const found = await listed(client.note.getNotesByEntityId(key, noun, { limit: 50 }), 'notes');
    return found.map(({ id, note_type: type }) => ({ id, type }));
  },
  join: async ({ noun, key, to_noun, to_key }) => {
    await client.link.addLinksByEntityId(key, noun, [{ to_entity_id: to_key, to_entity_type: to_noun }]);
  },
  async joined({ noun, key }) {
    const found = await listed(client.link.getLinksByEntityId(key, noun), 'links');
    return found.map(({ to_entity_type, to_entity_id }) => [to_entity_type, to_entity_id]);
  },
  async part({ noun, key, to_noun, to_key }) {
    const wanted = [{ to_entity_id: to_key, to_entity_type: to_noun }];
    await client.link.deleteLinksByEntityId(key, noun, wanted).catch((error) => {
      if (nameOf(error) !== 'NoContentError') throw error; // its own word for a 204
    });
  },
  async deal({ lead }) {
    const [{ id, contact_id, company_id }] = await client.lead.addComplex([lead]);
    return { lead: id, contact: contact_id, company: company_id };
  },
  add_task: async ({ task }) => first(await client.task.addTasks([task]), 'tasks').id,
  finish_task: async ({ key, text }) => {
    await client.task.completeTaskById(key, { is_completed: true, result: { text } });
  },
  async log_call({ call }) {
    const { id, entity_type, entity_id } = first(await client.call.addCalls([call]), 'calls');
    return { id, entity_type, entity_id };
  },
  put_unsorted: async ({ call }) => first(await client.unsorted.addUnsortedSip([call]), 'unsorted').uid,
  unsorted: async () => (await listed(client.unsorted.getUnsorted(), 'unsorted')).map(({ uid }) => uid),
  accept: async ({ uid, user_id }) =>
    (await client.unsorted.acceptUnsortedByUid(uid, { user_id }))._embedded.leads[0].id,
  decline: async ({ uid, user_id }) => (await client.unsorted.declineUnsortedByUid(uid, { user_id })).uid,
  subscribe: async ({ destination, settings }) => (await client.webhook.addWebhook({ destination, settings })).id,
  hooks: async () => (await listed(client.webhook.getWebhooks(), 'webhooks')).map(({ destination }) => destination),
  unsubscribe: async ({ destination }) => { await client.webhook.deleteWebhook({ destination }); },
}, nameOf);
