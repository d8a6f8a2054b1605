/** The operations page: its commands do what it says, as far as that shows without a subscription. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shapes } from '../../dev/infra/infra-checks.ts';
import { committed, projectRoot } from './desk-resources.ts';

const page = readFileSync(join(projectRoot, 'docs', 'operations.md'), 'utf8');

test('every kind of resource of a desk is one that the subscription is told of first', () => {
  const [, list = ''] = /^for NAME in ([\w ]+); do\n {2}az provider register/m.exec(page) ?? [];
  const used = shapes
    .flatMap(committed)
    .map(({ type }) => type.split('/')[0]?.replace('Microsoft.', '') ?? '');
  // These two every subscription has. Flex Consumption runs on App, log alerts on AlertsManagement.
  const inherent = ['Authorization', 'Resources'];
  expect(list.split(' ').toSorted()).toEqual(
    [...new Set(['App', 'AlertsManagement', ...used])].filter((name) => !inherent.includes(name)).toSorted(),
  );
});

const [, sendBack] = /To send messages back[\s\S]*?```sh\nQUEUE=.*\n([\s\S]*?)```/.exec(page) ?? [];
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

describe.skipIf(!hasTools)('the commands that send given-up messages back', () => {
  const run = (givenUp: string, failAt = ''): string => {
    const script = `QUEUE=queue\n${STUB}\n${sendBack}\necho "back: $(tr '\\n' ' ' <queue)left: $(tr '\\n' ' ' <queue-poison)"`;
    const env = { PATH: process.env['PATH'] ?? '', GIVEN_UP: givenUp, FAIL_AT: failAt };
    return spawnSync('bash', ['-uc', script], { env, encoding: 'utf8', timeout: 20_000 }).stdout.trim();
  };

  test('send every message once, in its order, and end', () => {
    expect(run('a b c')).toBe('back: a b c left:');
  });

  test('keep what could not be sent', () => {
    expect(run('a b c', 'b')).toBe('back: a left: b c');
  });
});
