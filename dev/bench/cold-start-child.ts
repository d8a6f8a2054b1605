/**
 * Loads an app as the local host does, asks one of its HTTP functions once and prints the status.
 *
 *   node dev/bench/cold-start-child.ts FOLDER FUNCTION PATH     with the settings as JSON on standard input
 */
import { readFileSync, writeSync } from 'node:fs';
import { loadApp } from '../host/load-app.ts';

const [folder = '', functionName = '', path = '/'] = process.argv.slice(2);
// Standard output carries the answer alone.
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
const { returnValue } = await core.invoke(target, {
  data: {
    http: {
      url: new URL(path, settings['PUBLIC_URL'] ?? 'http://localhost').href,
      method: 'GET',
      nullableHeaders: {
        'x-ms-client-principal': { value: Buffer.from(JSON.stringify(principal)).toString('base64') },
      },
      nullableParams: {},
    },
  },
});
writeSync(1, String(returnValue?.http?.statusCode ?? 'nothing'));
process.exit(0);
