/** The workflows: they call what exists, hold no credential, and ask for no more rights than they need. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtApp } from '../../dev/build.ts';
import { projectRoot } from './desk-resources.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const workflows = globSync('.github/workflows/*.yml', { cwd: projectRoot }).toSorted();
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/\bnpm (?:run )?(test|[\w:-]+)/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => name !== 'run');

const storedCredentials = (text: string): string[] =>
  text.match(/\bsecrets\.|client-secret|creds:|publish-profile|password/gi) ?? [];

test('there are three', () => {
  expect(workflows).toEqual(['check', 'deploy', 'release'].map((name) => `.github/workflows/${name}.yml`));
});

describe.each(workflows)('%s', (path) => {
  const text = read(path);

  test('calls commands that exist', () => {
    expect(commandsIn(text).length).toBeGreaterThan(1);
    expect(commandsIn(text).filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('has no stored credential and says what it may do', () => {
    expect(storedCredentials(text)).toEqual([]);
    expect(text).toMatch(/^permissions:\n {2}contents: (read|write)$/m);
    expect(text).toMatch(/timeout-minutes: \d+/);
  });
});

test('a stored credential would be found', () => {
  expect(storedCredentials('creds: secrets.AZURE_CREDENTIALS')).toHaveLength(2);
});

describe('azure.yaml', () => {
  const project = read('azure.yaml');
  const runs = [...project.matchAll(/^ +run: (.+)$/gm)].map(([, line]) => line ?? '');

  test('calls commands that exist, before and after it makes the resources, the same on every system', () => {
    expect(project).toMatch(
      /preprovision:[\s\S]*register-app --create[\s\S]*postprovision:[\s\S]*register-app --finish/,
    );
    expect(runs).toHaveLength(4);
    for (const event of ['preprovision', 'postprovision']) {
      const [, windows, posix] =
        new RegExp(`${event}:\\n +windows:\\n.*\\n +run: (.+)\\n +posix:\\n.*\\n +run: (.+)`).exec(project) ??
        [];
      expect(windows).toBeDefined();
      expect(windows).toBe(posix);
    }
    for (const line of runs) {
      const [, name = ''] = /^node dev\/bootstrap\.mjs ([\w:-]+)( --\w+)*$/.exec(line) ?? [];
      expect(scripts[name], line).toBe(`node dev/bootstrap.mjs ${name}`);
    }
  });

  test('hands no argument through npm, which takes the dashes away on Windows', () => {
    expect(runs.filter((line) => /\bnpm\b.*\s--/.test(line))).toEqual([]);
  });

  test('deploys what azd has just built, and nothing that Azure builds once more', () => {
    // azd runs the script `build` of the project's package.json before it packs `dist`.
    expect(project).toMatch(/^ {4}project: \.$/m);
    expect(project).toMatch(/^ {4}dist: dist\/app$/m);
    expect(builtApp).toBe(join(projectRoot, 'dist', 'app'));
    expect(scripts['build']).toBeDefined();
    expect(project).toMatch(/^ {4}remoteBuild: false$/m);
    expect(project).toMatch(/^requiredVersions:\n(?: +#.*\n)* {2}azd: '>= 1\.23\.5'$/m);
  });

  test('leaves settings of a developer behind, and says that the package is complete', () => {
    const ignored = read('.funcignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(ignored).toEqual(['local.settings.json']);
  });
});

test('the documents set only what azd, the template, the registrations or a workflow read', () => {
  const named = ['README.md', 'docs/operations.md'].flatMap(
    (path) => read(path).match(/\bPOSTROOM_\w+/g) ?? [],
  );
  const readers = globSync(['infra/*.{bicep,bicepparam}', 'dev/register-app/*.ts', 'dev/register-app.ts'], {
    cwd: projectRoot,
  });
  const known = [...readers, ...workflows].map(read).join('\n');
  expect(new Set(named).size).toBeGreaterThan(7);
  expect([...new Set(named)].filter((name) => !new RegExp(`\\b${name}\\b`).test(known))).toEqual([]);
});

test('the check runs every part of .ci/run that comes after the clone', () => {
  const parts = [...read('.ci/run').matchAll(/^part '(npm [^']+)'/gm)].map(([, name]) => name ?? '');
  expect(parts.length).toBeGreaterThan(5);
  // `npm start` is part of the tests; the package is made of the build.
  const others = parts.filter((name) => !['npm start', 'npm run build'].includes(name));
  const check = read('.github/workflows/check.yml');
  expect(others.filter((name) => !check.includes(`run: ${name}`) && !check.includes(`${name}\n`))).toEqual(
    [],
  );
});

test('only the deployment may ask for a token, and gives the template parameters that it has', () => {
  expect(workflows.filter((path) => read(path).includes('id-token: write'))).toEqual([
    '.github/workflows/deploy.yml',
  ]);
  const given = [...read('.github/workflows/deploy.yml').matchAll(/\b(\w+)="\$(?:SIGN_IN|ADMINS|ALERTS)"/g)];
  const template = read('infra/desk.bicep');
  expect(given).toHaveLength(3);
  for (const [, name] of given) expect(template).toMatch(new RegExp(`^param ${name} `, 'm'));
  for (const output of read('.github/workflows/deploy.yml').matchAll(/jq -r \.(\w+)\.value/g))
    expect(template).toMatch(new RegExp(`^output ${output[1]} `, 'm'));
});
