import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assets } from '../../shared/ui/assets.ts';

const folder = join(import.meta.dirname, '../../shared/ui/static');
const served = assets.map(({ body }) => body).join('\n');

test.each(readdirSync(folder))('%s is served unchanged', (name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  expect(text.length).toBeGreaterThan(500);
  expect(served).toContain(text);
});
