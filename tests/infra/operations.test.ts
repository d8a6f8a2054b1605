/** The operations page: its commands do what it says, as far as that can be tested without a subscription. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shapes } from '../../dev/infra/infra-checks.ts';
import { committed, projectRoot } from '../harness/memory/installation-resources.ts';

const page = readFileSync(join(projectRoot, 'docs', 'operations.md'), 'utf8');

test('every resource type of an installation is registered with the subscription first', () => {
  const [, list = ''] = /^for NAME in ([\w ]+); do\n {2}az provider register/m.exec(page) ?? [];
  const used = shapes
    .flatMap(committed)
    .map(({ type }) => type.split('/')[0]?.replace('Microsoft.', '') ?? '');
  // Every subscription has these two. Flex Consumption runs on App, log alerts on AlertsManagement.
  const inherent = ['Authorization', 'Resources'];
  expect(list.split(' ').toSorted()).toEqual(
    [...new Set(['App', 'AlertsManagement', ...used])].filter((name) => !inherent.includes(name)).toSorted(),
  );
});

const [, sendBack] = /To move messages back[\s\S]*?```sh\nQUEUE=.*\n([\s\S]*?)```/.exec(page) ?? [];
const hasTools = ['jq', 'bash'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!hasTools)
  console.warn('THE COMMANDS OF THE OPERATIONS PAGE ARE NOT RUN HERE: there is no jq or no bash.');

/** The storage commands over two lists in files; `put` fails at the message that FAIL_AT names. */
const STUB = `
cd "$(mktemp -d)"; : >queue; printf '%s\\n' $GIVEN_UP >queue-poison
az() {
  case "$3" in
    get) [ -s "$5" ] || { echo; return; }
      jq -n --arg content "$(head -n 1 "$5")" '{id: "i", popReceipt: "r", content: $content}' ;;
    put) [ "$7" != "$FAIL_AT" ] && echo "$7" >>"$5" ;;
    delete) sed -i 1d "$5" ;;
  esac
}
`;

describe.skipIf(!hasTools)('the commands that return poison messages to their queue', () => {
  const run = (abandoned: string, failAt = ''): string => {
    const script = `QUEUE=queue\n${STUB}\n${sendBack}\necho "back: $(tr '\\n' ' ' <queue)left: $(tr '\\n' ' ' <queue-poison)"`;
    const env = { PATH: process.env['PATH'] ?? '', GIVEN_UP: abandoned, FAIL_AT: failAt };
    return spawnSync('bash', ['-uc', script], { env, encoding: 'utf8', timeout: 60_000 }).stdout.trim();
  };

  test('send every message once, in order, and end', () => {
    expect(run('a b c')).toBe('back: a b c left:');
  });

  test('keep what could not be sent', () => {
    expect(run('a b c', 'b')).toBe('back: a left: b c');
  });
});

const blocks = (part: string): string[] =>
  [...part.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, block]) => block ?? '');
const [, firstDeployment = ''] = /^## The first deployment\n([\s\S]*?)^## /m.exec(page) ?? [];

test('the first deployment is checked in the order in which a doubt would show, each step with a command', () => {
  const steps = firstDeployment.split(/^(?=\*\*\d\. )/m).slice(1);
  const titles = steps.map((step) => /^\*\*\d\. (.+?)\.?\*\*/.exec(step)?.[1]);
  expect(titles).toEqual([
    'The site is created',
    'It is ready',
    'Sign-in',
    'A forged header is dropped',
    'The availability test reports results',
    'The timer runs',
    'A vault event reaches the queue',
    'Remove it',
  ]);
  // A person signs in.
  for (const step of steps)
    expect(blocks(step).length, step.slice(0, 30)).toBe(step.startsWith('**3.') ? 0 : 1);
});

test.skipIf(!hasTools)('its commands are valid for a shell', () => {
  const all = blocks(page).filter((block) => !block.includes('…'));
  expect(all.length).toBeGreaterThan(15);
  for (const block of all) {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
    expect(status, `${stderr}\n${block}`).toBe(0);
  }
});

describe.skipIf(!hasTools || spawnSync('curl', ['--version']).status !== 0)(
  'the check of a forged header',
  () => {
    const check = blocks(firstDeployment).find((block) => block.includes('FORGED=')) ?? '';

    async function against(answer: (headers: IncomingHttpHeaders) => number): Promise<string> {
      const server = createServer(({ headers }, response) => {
        response.statusCode = answer(headers);
        response.end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const script = `az() { echo 11111111-1111-1111-1111-111111111111; }; URL=${url}\n${check}`;
      try {
        return await new Promise((resolve, reject) => {
          const child = spawn('bash', ['-euc', script], {
            env: { PATH: process.env['PATH'] ?? '', NO_PROXY: '*' },
          });
          let said = '';
          child.stdout.on('data', (data: Buffer) => {
            said += data.toString();
          });
          child.once('error', reject);
          child.once('close', () => resolve(said));
        });
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    }

    test('distinguishes a platform that drops it from one that passes it on', async () => {
      expect(await against(() => 302)).toBe('/: dropped\n/providers: dropped\n/audit: dropped\n');
      const open = await against(({ 'x-ms-client-principal': header }) => (header === undefined ? 302 : 200));
      expect(open.match(/200, NOT DROPPED/g)).toHaveLength(3);
    });

    test('forges what the app would accept: an admin of its own tenant', async () => {
      const seen: unknown[] = [];
      await against((headers) => {
        seen.push(
          JSON.parse(Buffer.from(String(headers['x-ms-client-principal']), 'base64').toString('utf8')),
        );
        return 302;
      });
      const claims = 'http://schemas.microsoft.com/identity/claims';
      const admin = {
        auth_typ: 'aad',
        claims: [
          { typ: `${claims}/objectidentifier`, val: 'forged' },
          { typ: `${claims}/tenantid`, val: '11111111-1111-1111-1111-111111111111' },
          { typ: 'roles', val: 'admin' },
        ],
      };
      expect(seen).toEqual([admin, admin, admin]);
    });
  },
);
