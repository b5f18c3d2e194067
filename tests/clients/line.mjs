// A client's end of the conversation with the suite: one JSON object a line in, one out.
import { createInterface } from 'node:readline';

const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');

/** Say what this client can do, then do what is asked until the suite hangs up. */
export async function serve(verbs, nameOf = (error) => error.constructor.name) {
  say({ verbs: Object.keys(verbs).sort() });
  for await (const line of createInterface({ input: process.stdin })) {
    const { verb, words } = JSON.parse(line);
    try {
      say({ value: (await verbs[verb](words)) ?? null });
    } catch (error) {
      say({ error: nameOf(error), text: String(error.message) });
    }
  }
}
