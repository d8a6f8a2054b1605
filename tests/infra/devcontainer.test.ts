/** The dev container has what .ci/run needs, so that no test is skipped in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface DevContainer {
  image: string;
  features: Record<string, { version: string }>;
  remoteUser: string;
  onCreateCommand: string;
}
const container = JSON.parse(read('.devcontainer/devcontainer.json')) as DevContainer;

/** The packages of the one `apt-get install`, which may span several lines. */
function debianPackages(script: string): string[] {
  const [, list = ''] =
    /apt-get [^&|]*?\binstall ((?:[^\n"&|]|\\\n)+)/.exec(script.replaceAll('\\\n', ' ')) ?? [];
  return list.split(/\s+/).filter((word) => /^[a-z0-9][a-z0-9.+-]+$/.test(word));
}
const featureVersion = (name: string): string | undefined =>
  Object.entries(container.features).find(([id]) => id.includes(`/features/${name}:`))?.[1].version;

test('installs every Debian package that .ci/run installs', () => {
  const needed = debianPackages(read('.ci/run'));
  expect(needed).toEqual(expect.arrayContaining(['dovecot-imapd', 'postfix', 'chromium', 'jq']));
  expect(debianPackages(container.onCreateCommand).sort()).toEqual(needed.sort());
});

test('has the Node of .node-version and the .NET SDK of the check', () => {
  const [, dotnet] = /dotnet-version: '([\d.]+)'/.exec(read('.github/workflows/check.yml')) ?? [];
  expect(featureVersion('node')).toBe(read('.node-version').trim());
  expect(featureVersion('dotnet')).toBe(dotnet);
});

test('uses the Debian of the check, in one exact version', () => {
  const [, debian] = /container: debian:(\w+)/.exec(read('.github/workflows/check.yml')) ?? [];
  expect(debian).toBeDefined();
  expect(container.image).toMatch(new RegExp(`:\\d+\\.\\d+\\.\\d+-${debian}$`));
});

test('runs as root, without which Dovecot and Postfix are skipped', () => {
  expect(container.remoteUser).toBe('root');
});
