/** A separate app for the host's tests: everything a trigger can do, nothing of the product. */
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { app } from '@azure/functions';

const environmentAtLoad = Object.keys(process.env).filter((name) => name.startsWith('SAMPLE_'));
const note = (line: string): void => appendFileSync(process.env['SAMPLE_NOTES'] ?? '', `${line}\n`);

// The literal route is first here and still loses: the host sorts by name.
app.http('items', { route: 'items/first', methods: ['GET'], handler: () => ({ body: 'items' }) });
app.http('aparameter', {
  route: 'items/{name}',
  methods: ['GET'],
  handler: (request) => ({ body: `aparameter ${request.params['name']}` }),
});
app.http('cookies', {
  methods: ['GET'],
  handler: () => ({
    body: 'two',
    cookies: [
      { name: '__Host-sid', value: 'a b=c==', secure: true, httpOnly: true, sameSite: 'Lax', path: '/' },
      { name: 'theme', value: 'dark', maxAge: 60 },
    ],
  }),
});
app.http('bytes', {
  methods: ['GET', 'HEAD'],
  handler: () => ({
    body: Uint8Array.from({ length: 256 }, (_value, index) => index),
    headers: { 'content-type': 'application/octet-stream' },
  }),
});
app.http('echo', {
  methods: ['POST'],
  handler: async (request) => ({
    jsonBody: {
      length: (await request.arrayBuffer()).byteLength,
      headers: Object.fromEntries(request.headers),
    },
  }),
});
app.http('environment', {
  methods: ['GET'],
  handler: () => ({
    jsonBody: {
      atLoad: environmentAtLoad,
      now: process.env['SAMPLE_SETTING'],
      url: process.env['PUBLIC_URL'],
    },
  }),
});
app.http('principal', {
  methods: ['GET'],
  handler: (request) => ({
    jsonBody: Object.fromEntries([...request.headers].filter(([name]) => name.startsWith('x-ms-'))),
  }),
});
app.http('boom', {
  methods: ['GET'],
  handler: () => {
    throw new Error('the reason');
  },
});
app.http('slow', {
  methods: ['GET'],
  handler: async () => {
    await pause(800);
    return { body: 'finished' };
  },
});

app.timer('tick', {
  schedule: '%SAMPLE_SCHEDULE%',
  handler: async (timer) => {
    note(`tick began ${typeof timer.scheduleStatus.next}`);
    await pause(1_500);
    note('tick ended');
  },
});
app.storageQueue('work', {
  queueName: 'sample-work',
  connection: 'DataStorage',
  handler: async (message, context) => {
    const { dequeueCount } = context.triggerMetadata ?? {};
    note(`work ${JSON.stringify(message)} ${String(dequeueCount)}`);
    if (message === 'slow') await pause(3_500);
    if (message === 'fail') throw new Error('never works');
  },
});
app.hook.appTerminate(() => note('terminated'));
