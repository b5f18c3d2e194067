// amocrm-api (npm): the API of /private over axios, with a session for a user's key; any address. It waits 1.1 s before
// each request, as the limit of one a second demanded.
import amocrm from 'amocrm-api';
import { serve } from './line.mjs';

const KINDS = { contacts: 1, leads: 2 };

let client;

await serve({
  open({ account }) { client = amocrm(account.origin); },
  key_in: async ({ login, key }) => (await client.auth({ USER_LOGIN: login, USER_HASH: key })).response.user.id,
  async create({ noun, item }) {
    const made = await (noun === 'leads' ? client.createLead(item) : client.createContact(item));
    return made.id;
  },
  find: async ({ query }) => (await client.getContactsList({ query })).map(({ id }) => id),
  add_note: async ({ noun, key, note: { params: { text } } }) =>
    (await client.createNote({ element_id: key, element_type: KINDS[noun], note_type: 4, text })).id,
  add_task: async ({ task: { text, complete_till, entity_id, entity_type } }) =>
    (await client.createTask({ element_id: entity_id, element_type: KINDS[entity_type], task_type: 1, text, complete_till })).id,
}, ({ status, constructor }) => status ? `${status}` : constructor.name); // what it throws is the answer itself
