import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { paths, platformPaths } from '../../shared/paths/paths.ts';

describe('a link', () => {
  test('fills in the parameters of its path, whatever they contain', () => {
    expect(paths.ticket({ id: 't1' })).toBe('/tickets/t1');
    expect(paths.messageAttachment({ id: 't1', key: 'a/b?c#d', index: 0 })).toBe(
      '/tickets/t1/messages/a%2Fb%3Fc%23d/attachments/0',
    );
    expect(paths.auditAsCsv()).toBe('/audit/export.csv');
  });

  test('has a query of the defined values', () => {
    expect(paths.tickets({ status: undefined })).toBe('/tickets');
    expect(paths.mailboxes({ flash: 'opened', unread: 0 })).toBe('/mailboxes?flash=opened&unread=0');
    expect(paths.connect({ id: 'p' }, { address: 'a+b&c@contoso.example' })).toBe(
      '/providers/p/connect?address=a%2Bb%26c%40contoso.example',
    );
  });
});

const root = join(import.meta.dirname, '../..');
const ours = new Set(
  Object.values({ ...paths, ...platformPaths }).flatMap(({ pattern }) => pattern.split('/')[1] || []),
);
// A text that begins with one of our paths, or continues with one after a value; an attribute or a redirect to the start page.
const LITERAL = new RegExp(
  `["'\`}](?:/(?:${[...ours].map((part) => part.replace('.', '\\.')).join('|')})(?![\\w-]))|(?:href|action)=["']/|redirect\\(["'\`]/`,
);

/** Lines with a literal path of ours; comments may have them. */
function writtenOut(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return code.split('\n').filter((line) => LITERAL.test(line));
}

/** Files that are served unchanged, and so cannot import. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'shared/ui/static/admin.js': [`for (const end of document.querySelectorAll('a[href="/.auth/logout"]'))`],
};

test('paths are written only in the one list of them', () => {
  const files = globSync('{functions,shared}/**/*.{ts,tsx,js}', { cwd: root }).map((path) =>
    path.replaceAll('\\', '/'),
  );
  expect(files.length).toBeGreaterThan(200);
  const found = files
    .filter((path) => path !== 'shared/paths/paths.ts')
    .map((path) => [path, writtenOut(readFileSync(join(root, path), 'utf8'))] as const)
    .filter(([, lines]) => lines.length > 0);
  expect(Object.fromEntries(found)).toEqual(ALLOWED);
});

test.each([
  "return c.redirect('/mailboxes', 303);",
  '<a href="/">Home</a>',
  '<a href={`/tickets/$\u007bid}`}>',
  'const text = `All alerts: $\u007bpublicUrl}/alerts`;',
])('%s is found', (line) => {
  expect(writtenOut(line)).toEqual([line]);
});
