/**
 * Loads an app as the local host does, calls one of its HTTP functions once and prints the status.
 *
 *   node dev/bench/cold-start-child.ts FOLDER FUNCTION PATH     with the settings as JSON on standard input
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { loadApp } from '../host/load-app.ts';

const [folder = '', functionName = '', path = '/'] = process.argv.slice(2);
// Standard output is reserved for the result.
console.log = console.error;
console.info = console.error;

const { core } = await loadApp(folder, () => {});
const settings = JSON.parse(readFileSync(0, 'utf8')) as Record<string, string>;
Object.assign(process.env, settings);
const target = core.functions.get(functionName);
if (target === undefined) throw new Error(`There is no function ${functionName}.`);
const principal = {
  auth_typ: 'aad',
  claims: [
    { typ: 'tid', val: settings['WEBSITE_AUTH_AAD_ALLOWED_TENANTS'] },
    { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: 'bench' },
    { typ: 'name', val: 'Bench' },
    { typ: 'roles', val: 'agent' },
  ],
  name_typ: 'name',
  role_typ: 'roles',
};
const url = new URL(path, settings['PUBLIC_URL'] ?? 'http://localhost');
const header = Buffer.from(JSON.stringify(principal)).toString('base64');
const invocationId = randomUUID();
const called = core.invoke(target, {
  invocationId,
  data: {
    http: {
      url: url.href,
      method: 'GET',
      nullableHeaders: { 'x-ms-client-principal': { value: header } },
      nullableParams: {},
    },
  },
  triggerMetadata: { Headers: { json: JSON.stringify({ 'x-ms-client-principal': header }) } },
});
writeSync(1, String((await statusOf(core.httpUri)) ?? 'nothing'));
process.exit(0);

/** The response of the call, or of the app's own server if the app streams its responses. */
async function statusOf(httpUri: string | undefined): Promise<string | number | undefined> {
  if (httpUri === undefined) return (await called).returnValue?.http?.statusCode;
  const headers = {
    'x-ms-invocation-id': invocationId,
    'x-forwarded-host': url.host,
    'x-forwarded-proto': url.protocol.slice(0, -1),
  };
  const request = get(new URL(url.pathname + url.search, httpUri), { headers });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  for await (const _ of answer);
  return answer.statusCode;
}
