// amocrm-js (npm): factories and a plain `request` over node:https, to `https://<domain>.amocrm.ru` alone: hence hosts.cjs.
// Its DELETE sends a body without a length, which no server can read: what needs one is left out.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import amocrm from 'amocrm-js';
import { serve } from './line.mjs';

console.error = () => {}; // it prints every refusal before it throws it

let client;

const first = (answer, name) => answer.data._embedded[name][0];
const listed = (answer, name) => answer.data._embedded?.[name] ?? [];

await serve({
  open({ account, integration, storage, pair }) {
    const kept = join(storage, 'token.json');
    const auth = {
      client_id: integration.id, client_secret: integration.secret, redirect_uri: integration.redirect_uri,
    };
    client = new amocrm.Client({ domain: account.subdomain, auth });
    client.token.on('change', () => writeFileSync(kept, JSON.stringify(client.token.getValue())));
    if (pair) client.token.setValue(pair);
    else if (existsSync(kept)) client.token.setValue(JSON.parse(readFileSync(kept, 'utf-8')));
  },
  async sign_in({ code }) {
    client.auth.setCode(code);
    await client.connection.connect();
  },
  account: async () => (await client.request.get('/api/v4/account', { with: 'amojo_id,task_types' })).data.id,
  create: async ({ noun, item }) => (await client[noun].create([item]))[0].id,
  change: async ({ noun, key, item }) => { await client[noun].update([{ id: key, ...item }]); },
  async fetch({ noun, key }) {
    const found = await client[noun].getById(key);
    if (found.id === undefined) throw new RangeError('nothing'); // this client takes 204 for an empty entity
    return { id: found.id, name: found.name, created_by: found.created_by };
  },
  find: async ({ noun, query }) => (await client[noun].get({ query })).getData().map(({ id }) => id),
  async walk({ noun }) {
    const pages = await client[noun].get({ limit: 250 });
    const ids = pages.getData().map(({ id }) => id);
    while (await pages.next()) ids.push(...pages.getData().map(({ id }) => id));
    return ids;
  },
  add_note: async ({ noun, key, note }) => first(await client.request.post(`/api/v4/${noun}/${key}/notes`, [note]), 'notes').id,
  async notes({ noun, key }) {
    const found = listed(await client.request.get(`/api/v4/${noun}/${key}/notes`), 'notes');
    return found.map(({ id, note_type: type }) => ({ id, type }));
  },
  join: async ({ noun, key, to_noun, to_key }) => {
    await client.request.post(`/api/v4/${noun}/${key}/link`, [{ to_entity_id: to_key, to_entity_type: to_noun }]);
  },
  async joined({ noun, key }) {
    const found = listed(await client.request.get(`/api/v4/${noun}/${key}/links`), 'links');
    return found.map(({ to_entity_type, to_entity_id }) => [to_entity_type, to_entity_id]);
  },
  part: async ({ noun, key, to_noun, to_key }) => {
    await client.request.post(`/api/v4/${noun}/${key}/unlink`, [{ to_entity_id: to_key, to_entity_type: to_noun }]);
  },
  async deal({ lead }) {
    const { data: [{ id, contact_id, company_id }] } = await client.request.post('/api/v4/leads/complex', [lead]);
    return { lead: id, contact: contact_id, company: company_id };
  },
  add_task: async ({ task }) => (await client.tasks.create([task]))[0].id,
  async finish_task({ key, text }) {
    const task = await client.tasks.getById(key);
    task.is_completed = true;
    task.result = { text };
    await task.save();
  },
  async log_call({ call }) {
    const { data } = await client.request.post('/api/v4/calls', [call]);
    if (data.errors.length) throw new RangeError(data.errors[0].title); // a 400 without `status` is no error to it
    const [{ id, entity_type, entity_id }] = data._embedded.calls;
    return { id, entity_type, entity_id };
  },
  put_unsorted: async ({ call }) => first(await client.request.post('/api/v4/leads/unsorted/sip', [call]), 'unsorted').uid,
  unsorted: async () => listed(await client.request.get('/api/v4/leads/unsorted'), 'unsorted').map(({ uid }) => uid),
  accept: async ({ uid, user_id }) =>
    (await client.request.post(`/api/v4/leads/unsorted/${uid}/accept`, { user_id })).data._embedded.leads[0].id,
  subscribe: async ({ destination, settings }) =>
    (await client.request.post('/api/v4/webhooks', { destination, settings })).data.id,
  hooks: async () => listed(await client.request.get('/api/v4/webhooks'), 'webhooks').map(({ destination }) => destination),
});
