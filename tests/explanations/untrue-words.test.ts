import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { entraEntries, lineEntries } from '../../shared/explanations/catalogue.ts';
import { permissionsFor } from '../../shared/providers/permissions.ts';
import { protocols } from '../../shared/providers/presets.ts';

// Postroom reads email, tests sending and sends its own alerts. It cannot reply to a ticket yet.
const PROMISES = [
  /answers? (?:can|cannot) be sent/i,
  /answered and closed/i,
  /an answer leaves/i,
  /(?:send|sent) (?:the |an )?answers?\b/i,
  /\bin the outbox\b/i,
  /answers? stay/i,
  /as long as Exchange asks/i,
];

test('no page and no explanation promises a reply to a ticket, or a hint that Postroom does not read', () => {
  const pages = globSync('functions/pages/**/*.tsx').map(
    (path) => [path, readFileSync(path, 'utf8')] as const,
  );
  const explanations = [...entraEntries, ...lineEntries].map(
    (entry) => [entry.title, JSON.stringify(entry)] as const,
  );
  const permissions = permissionsFor(protocols).map(({ name, reason }) => [name, reason] as const);
  expect(pages.length).toBeGreaterThan(40);
  const found = [...pages, ...explanations, ...permissions].flatMap(([where, text]) =>
    PROMISES.filter((promise) => promise.test(text)).map((promise) => `${where}: ${promise.source}`),
  );
  expect(found).toEqual([]);
});
