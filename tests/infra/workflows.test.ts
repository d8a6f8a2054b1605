/** The workflows: they call what exists, contain no credential, and request no more permissions than they need. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtApp } from '../../dev/build.ts';
import { projectRoot } from '../harness/memory/installation-resources.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const workflows = globSync('.github/workflows/*.yml', { cwd: projectRoot }).toSorted();
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
/** npm's own, which are no scripts of ours. */
const commandsOfNpm = ['run', 'audit', 'ci', 'reads', 'sbom'];
const commandsIn = (text: string): string[] =>
  [...text.matchAll(/\bnpm (?:run )?(test|[\w:-]+)/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => !commandsOfNpm.includes(name));

const storedCredentials = (text: string): string[] =>
  text.match(/\bsecrets\.|client-secret|creds:|publish-profile|password/gi) ?? [];

/** The code of an action can change under its tag; a commit stays as it was when it was reviewed. */
const unpinned = (text: string): string[] =>
  [...text.matchAll(/\buses: (.+)$/gm)]
    .map(([, action]) => action ?? '')
    .filter((action) => !/^(\.\/.+|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/.test(action));

test('there are five', () => {
  expect(workflows).toEqual(
    ['audit', 'check', 'deploy', 'mutants', 'release'].map((name) => `.github/workflows/${name}.yml`),
  );
});

describe.each(workflows)('%s', (path) => {
  const text = read(path);

  test('calls commands that exist', () => {
    expect(text).toMatch(/\bnpm /);
    expect(commandsIn(text).filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('has no stored credential and states its permissions', () => {
    expect(storedCredentials(text)).toEqual([]);
    expect(text).toMatch(/timeout-minutes: \d+/);
  });

  test('has only the permissions that each job requires', () => {
    expect(text).toMatch(/^permissions: \{\}$/m);
    const jobs = text.split(/^jobs:\n/m)[1]?.split(/^(?= {2}\w)/m) ?? [];
    expect(jobs.length).toBeGreaterThan(0);
    for (const job of jobs) expect(job).toMatch(/^ {4}permissions:\n(?: {6}(?:#.*|[\w-]+: \w+)\n)+/m);
  });

  test('runs no action that can change under its name', () => {
    expect(unpinned(text)).toEqual([]);
    // The job's token is not left in the checkout for later steps.
    expect(text.match(/actions\/checkout@/g)?.length ?? 0).toBe(
      text.match(/persist-credentials: false/g)?.length ?? 0,
    );
  });
});

test('an action by its tag or by half a commit would be found', () => {
  const lines = [
    'actions/checkout@v5',
    'a/b@08c6903cd8c0 # v5.0.0',
    'a/b@main # v1.0.0',
    './.github/workflows/check.yml',
  ];
  expect(unpinned(lines.map((line) => `- uses: ${line}\n`).join(''))).toEqual(lines.slice(0, 3));
});

test('each action is the same commit everywhere', () => {
  const all = workflows.flatMap((path) => read(path).match(/[\w-]+\/[\w-]+@[0-9a-f]{40}/g) ?? []);
  const names = new Set(all.map((action) => action.split('@')[0]));
  expect(new Set(all).size).toBe(names.size);
});

test('packages run no install scripts, and their versions are monitored', () => {
  expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
  // Scripts before and after others would not run any more.
  expect(Object.keys(scripts).filter((name) => /^(pre|post)/.test(name) && name !== 'prepare')).toEqual([]);
  const updates = read('.github/dependabot.yml');
  for (const ecosystem of ['npm', 'github-actions'])
    expect(updates).toContain(`package-ecosystem: ${ecosystem}`);
  expect(read('.github/workflows/audit.yml')).toMatch(/schedule:\n {4}- cron:[\s\S]*npm audit --omit=dev/);
});

test('the mutants run once a week, and not on every change', () => {
  const text = read('.github/workflows/mutants.yml');
  expect(text).toMatch(
    /^on:\n {2}schedule:\n {4}- cron: '\d+ \d+ \* \* \d'\n {2}workflow_dispatch:\npermissions/m,
  );
  expect(text).toMatch(/run: npm run mutants$/m);
  expect(read('.ci/run')).not.toContain('mutants');
});

test('a stored credential would be found', () => {
  expect(storedCredentials('creds: secrets.AZURE_CREDENTIALS')).toHaveLength(2);
});

describe('azure.yaml', () => {
  const project = read('azure.yaml');
  const runs = [...project.matchAll(/^ +run: (.+)$/gm)].map(([, line]) => line ?? '');

  test('calls commands that exist, before and after it creates the resources, the same on every system', () => {
    expect(project).toMatch(
      /preprovision:[\s\S]*register-app --create[\s\S]*postprovision:[\s\S]*register-app --finish/,
    );
    expect(project).toMatch(/postdeploy:[\s\S]*watch-installation/);
    expect(runs).toHaveLength(6);
    for (const event of ['preprovision', 'postprovision', 'postdeploy']) {
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

  test('passes no argument through npm, which removes the dashes on Windows', () => {
    expect(runs.filter((line) => /\bnpm\b.*\s--/.test(line))).toEqual([]);
  });

  test('deploys what azd has just built, without another build in Azure', () => {
    // azd runs the script `build` of the project's package.json before it packs `dist`.
    expect(project).toMatch(/^ {4}project: \.$/m);
    expect(project).toMatch(/^ {4}dist: dist\/app$/m);
    expect(builtApp).toBe(join(projectRoot, 'dist', 'app'));
    expect(scripts['build']).toBeDefined();
    expect(project).toMatch(/^ {4}remoteBuild: false$/m);
    expect(project).toMatch(/^requiredVersions:\n(?: +#.*\n)* {2}azd: '>= 1\.23\.5'$/m);
  });

  test('excludes a developer’s settings, and marks the package as complete', () => {
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
  const readers = globSync(
    ['infra/*.{bicep,bicepparam}', 'dev/register-app/*.ts', 'dev/{register-app,watch-installation}.ts'],
    {
      cwd: projectRoot,
    },
  );
  const known = [...readers, ...workflows].map(read).join('\n');
  expect(new Set(named).size).toBeGreaterThan(7);
  expect([...new Set(named)].filter((name) => !new RegExp(`\\b${name}\\b`).test(known))).toEqual([]);
});

test('the check runs every part of .ci/run that comes after the clone', () => {
  const parts = [...read('.ci/run').matchAll(/^part '(npm [^']+)'/gm)].map(([, name]) => name ?? '');
  expect(parts.length).toBeGreaterThan(5);
  // `npm start` is part of the tests; the package is created from the build.
  const others = parts.filter((name) => !['npm start', 'npm run build'].includes(name));
  const check = read('.github/workflows/check.yml');
  expect(others.filter((name) => !check.includes(`run: ${name}`) && !check.includes(`${name}\n`))).toEqual(
    [],
  );
});

test('only the deployment and the release may request a token, and the first reads outputs that the template has', () => {
  expect(workflows.filter((path) => read(path).includes('id-token: write'))).toEqual([
    '.github/workflows/deploy.yml',
    // With it GitHub attests where a file was built.
    '.github/workflows/release.yml',
  ]);
  const outputs = [...read('.github/workflows/deploy.yml').matchAll(/jq -r \.(\w+)\.value/g)];
  expect(outputs).toHaveLength(2);
  for (const [, name] of outputs)
    expect(read('infra/resources.bicep')).toMatch(new RegExp(`^output ${name} `, 'm'));
});

test('a release or deployment was checked, and its checksums can be verified', () => {
  for (const name of ['deploy', 'release'])
    expect(read(`.github/workflows/${name}.yml`)).toMatch(/^ {6}POSTROOM_CI: '1'$/m);
  const release = read('.github/workflows/release.yml');
  expect(release).toMatch(/^ {4}uses: \.\/\.github\/workflows\/check\.yml$[\s\S]*^ {4}needs: check$/m);
  expect(read('.github/workflows/check.yml')).toMatch(/^ {2}workflow_call:$/m);
  const summed = /sha256sum (.+) >SHA256SUMS/.exec(release)?.[1]?.split(' ') ?? [];
  expect(summed).toEqual(['postroom.zip', 'resources.json', 'postroom.cdx.json']);
  expect(release).toMatch(/npm sbom .*--omit dev .*>postroom\.cdx\.json$/m);
  expect(release).toMatch(
    /attest-build-provenance@[\s\S]*subject-checksums: dist\/SHA256SUMS[\s\S]*gh release create/,
  );
  // Names without a folder, so that they are found beside the downloaded file.
  for (const name of [...summed, 'SHA256SUMS'])
    expect(release).toMatch(new RegExp(`gh release[\\s\\S]* dist/${name}\\b`));
});

describe('parameters', () => {
  const names = (text: string): string[] =>
    [...text.matchAll(/^param (\w+)/gm)].map(([, name]) => name ?? '').toSorted();
  const declared = (file: string): string[] =>
    [...read(file).matchAll(/^param (?!location|tags|environmentName).+$/gm)].map(([line]) => line);
  /** Each parameter, and each variable that one needs, with its value. */
  const given = (file: string): Record<string, string> =>
    Object.fromEntries(
      read(file)
        .split(/^(?=param |var |\/\/|\n)/m)
        .map((statement) => /^(?:param|var) (\w+) = ([\s\S]+)$/.exec(statement.trim()))
        .filter((found) => found !== null)
        .map(([, name = '', value = '']) => [name, value] as const)
        .filter(([name]) => !['environmentName', 'location', 'region', 'tags', 'ownTags'].includes(name)),
    );

  test('of a whole installation are those of the resources in its group', () => {
    expect(declared('infra/main.bicep').length).toBeGreaterThan(15);
    expect(declared('infra/main.bicep')).toEqual(declared('infra/resources.bicep'));
    for (const name of names(read('infra/resources.bicep')))
      expect(read('infra/main.bicep')).toMatch(
        new RegExp(`^ {4}${name}: ${name === 'tags' ? 'allTags' : name}$`, 'm'),
      );
  });

  test.each(['main', 'resources'])(
    'of %s.bicep all come from variables, for azd and the workflow the same',
    (name) => {
      const file = `infra/${name}.bicepparam`;
      expect(names(read(file))).toEqual(names(read(`infra/${name}.bicep`)));
      expect(given(file)).toEqual(given('infra/main.bicepparam'));
      for (const [parameter, value] of Object.entries(given(file)))
        expect(value, parameter).toMatch(
          /readEnvironmentVariable\(\s*'POSTROOM_[A-Z_]+'|^empty\((\w+)\) \? null : \1$/,
        );
    },
  );

  test('that are set stay set when the workflow deploys, and an installation without sign-in is rejected first', () => {
    const deploy = read('.github/workflows/deploy.yml');
    expect(deploy).toMatch(/^ {10}VARIABLES: \$\{\{ toJSON\(vars\) \}\}$/m);
    expect(deploy).toContain('--parameters infra/resources.bicepparam');
    const block = (name: string): string =>
      (
        new RegExp(`- name: ${name}\\n[\\s\\S]*?run: \\|\\n((?: {10}.*\\n)+)`).exec(deploy)?.[1] ?? ''
      ).replaceAll(/^ {10}/gm, '');
    const run = (script: string, env: Record<string, string>) =>
      spawnSync('bash', ['-euc', script], {
        env: { PATH: process.env['PATH'] ?? '', ...env },
        encoding: 'utf8',
      });

    const region = { REGION: 'westeurope' };
    expect(run(block('Variables'), { SIGN_IN: '', GROUP: 'postroom', ...region })).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('POSTROOM_SIGN_IN_CLIENT_ID'),
    });
    expect(run(block('Variables'), { SIGN_IN: 'id', GROUP: 'postroom', REGION: '' }).status).toBe(1);
    expect(run(block('Variables'), { SIGN_IN: 'id', GROUP: 'postroom', ...region }).status).toBe(0);
    if (spawnSync('jq', ['--version']).status !== 0) {
      console.warn('WHAT THE WORKFLOW PASSES ON IS NOT CHECKED HERE. There is no jq.');
      return;
    }
    const variables = {
      POSTROOM_SHAPE: 'hardened',
      POSTROOM_ALWAYS_READY: '[{"name":"http","instanceCount":1}]',
      POSTROOM_PUBLIC_URL: '',
      POSTROOM_MONITOR_EMAIL: "it's@example.org; $(touch x)",
      AZURE_LOCATION: 'westeurope',
      PATH: 'not this one',
    };
    const script = `az() { env >&2; echo '{"appName":{"value":"a"},"url":{"value":"u"}}'; }\n${block('Resources')}`;
    const { status, stderr } = run(script, {
      GROUP: 'postroom',
      GITHUB_OUTPUT: '/dev/null',
      VARIABLES: JSON.stringify(variables),
    });
    expect(status, stderr).toBe(0);
    const seen = stderr.split('\n').filter((line) => /^(POSTROOM_|AZURE_)/.test(line));
    expect(seen.toSorted()).toEqual([
      'AZURE_LOCATION=westeurope',
      `POSTROOM_ALWAYS_READY=${variables.POSTROOM_ALWAYS_READY}`,
      `POSTROOM_MONITOR_EMAIL=${variables.POSTROOM_MONITOR_EMAIL}`,
      'POSTROOM_SHAPE=hardened',
    ]);
  });
});

test('of the outputs are kept by azd only if they are read', () => {
  const outputs = [...read('infra/main.bicep').matchAll(/^output (\w+)/gm)].map(([, name]) => name ?? '');
  const readers = ['docs/operations.md', ...globSync('dev/register-app/*.ts', { cwd: projectRoot })]
    .map(read)
    .join('\n');
  // AZURE_RESOURCE_GROUP is read by azd itself, which looks for the app there.
  expect(outputs.filter((name) => name !== 'AZURE_RESOURCE_GROUP' && !readers.includes(name))).toEqual([]);
});
