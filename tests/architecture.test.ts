/**
 * Keeps the arrows of docs and design: functions → shared/<feature> → shared/platform, and each third-party package in
 * one place. Every rule is a function over a list of files, so that a planted fault shows that it can fail.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';

interface SourceFile {
  /** From the root of the project, with forward slashes. */
  path: string;
  text: string;
}

/** Which features a feature may use; a feature that is not listed may use none, `platform` is open to all. */
const featureEdges: Readonly<Record<string, readonly string[]>> = {
  ui: ['paths'],
  paths: [],
  activity: [],
  audit: [],
  explanations: ['providers'],
  providers: ['audit'],
  accounts: ['providers', 'activity', 'explanations'],
  'message-class': [],
  senders: ['audit'],
  templates: ['tickets'],
  mailboxes: ['message-class', 'audit', 'providers', 'explanations', 'paths', 'templates'],
  acknowledgements: ['message-class', 'mime', 'mailboxes', 'templates', 'tickets'],
  bounces: ['mime', 'tickets'],
  replies: ['mailboxes', 'templates', 'tickets'],
  'agent-alerts': ['mailboxes', 'message-class', 'tickets'],
  secrets: ['audit', 'providers', 'mailboxes', 'alerts', 'paths'],
  outbox: ['mailboxes', 'providers', 'explanations', 'activity', 'tickets'],
  'connection-test': ['mailboxes', 'outbox', 'providers', 'explanations'],
  consent: ['audit', 'accounts', 'providers', 'mailboxes', 'explanations', 'paths'],
  heartbeats: [],
  alerts: [
    'heartbeats',
    'explanations',
    'outbox',
    'mailboxes',
    'accounts',
    'providers',
    'intake',
    'push',
    'paths',
  ],
  push: ['accounts', 'mailboxes', 'providers', 'intake'],
  tickets: ['message-class'],
  intake: ['message-class', 'senders', 'mime', 'mailboxes', 'tickets', 'activity', 'bounces'],
  mime: ['tickets'],
};

/** Where a package may be imported: in one place of the product, and in the local world that stands against it. */
const packageHomes: Readonly<Record<string, readonly RegExp[]>> = {
  '@azure/data-tables': [/^shared\/platform\/azure-tables\.ts$/, /^dev\/chaos\/records\.ts$/],
  '@azure/functions': [/^functions\/(main|(http|triggers)\/[\w-]+)\.ts$/, /^dev\/bench\/empty-app\.ts$/],
  '@azure/identity': [
    /^shared\/platform\/credential\.ts$/,
    /^dev\/(watch-installation|register-app(\/graph-client)?)\.ts$/,
  ],
  '@azure/keyvault-secrets': [/^shared\/platform\/azure-vault\.ts$/],
  '@azure/monitor-opentelemetry-exporter': [/^shared\/platform\/open-telemetry\.ts$/],
  '@azure/storage-blob': [
    /^shared\/platform\/azure-blobs\.ts$/,
    /^dev\/bench\/fetch-lease\.ts$/,
    /^dev\/chaos\/records\.ts$/,
  ],
  '@azure/storage-queue': [
    /^shared\/platform\/azure-queues\.ts$/,
    /^dev\/host\/queues\.ts$/,
    /^dev\/host-check\/storage-queue\.ts$/,
  ],
  '@opentelemetry/api': [/^shared\/platform\/open-telemetry\.ts$/],
  '@opentelemetry/resources': [/^shared\/platform\/open-telemetry\.ts$/],
  '@opentelemetry/sdk-metrics': [/^shared\/platform\/(open|console)-telemetry\.ts$/],
  '@opentelemetry/sdk-trace-base': [/^shared\/platform\/(open|console)-telemetry\.ts$/],
  '@stryker-mutator/core': [/^dev\/mutants\/run-feature\.ts$/],
  '@peculiar/x509': [/^shared\/providers\/create-certificate\.ts$/, /^dev\/emulators\/certificates\.ts$/],
  asn1js: [/^shared\/mime\/cms\.ts$/],
  croner: [/^dev\/host\/timers\.ts$/],
  entities: [/^shared\/tickets\/html-text\.ts$/],
  esbuild: [/^dev\/build\.ts$/, /^dev\/fast-lane\/lanes\.ts$/],
  fflate: [/^dev\/zip\.ts$/],
  hono: [/^functions\//, /^shared\/ui\//],
  'ical.js': [/^shared\/mime\/read-invitation\.ts$/],
  'iconv-lite': [/^shared\/mime\/charsets\.ts$/],
  imapflow: [/^shared\/mailboxes\/(?:open-)?imap-inbox\.ts$/, /^dev\/chaos\/inbox-truth\.ts$/],
  jose: [/^dev\/emulators\//],
  jschardet: [/^shared\/mime\/charset-detection\.ts$/],
  'markdown-it': [/^shared\/templates\/(render-markdown|markdown-text)\.ts$/],
  mailparser: [/^shared\/mime\/parse-message\.ts$/, /^dev\/host\/customer-inbox\.ts$/],
  nodemailer: [
    /^shared\/outbox\/compose-mime\.ts$/,
    /^shared\/outbox\/smtp-session\.ts$/,
    /^dev\/host\/demo-page\.ts$/,
    /^dev\/emulators\/graph\/mail\/send-mail\.ts$/,
    /^dev\/bench\/send-jobs\.ts$/,
  ],
  oauth4webapi: [/^shared\/accounts\/oauth-[\w-]+\.ts$/],
  'oidc-provider': [/^dev\/emulators\/entra\//],
  'playwright-core': [/^dev\/browser\.ts$/],
  'postal-mime': [/^shared\/mime\/parse-message\.ts$/, /^dev\/emulators\/graph\/mail\//],
  'reflect-metadata': [/^shared\/providers\/create-certificate\.ts$/, /^dev\/emulators\/certificates\.ts$/],
  'sanitize-html': [/^shared\/tickets\/mail-html\.ts$/],
  'smtp-server': [/^dev\/emulators\/mail\//],
  tldts: [/^shared\/platform\/registrable-domains\.ts$/],
  vitest: [/^dev\/(fast-lane|mutants)\/vitest\.config\.ts$/],
  zod: [/^functions\//, /^shared\//],
};

/** Packages of which the product may use one file only, wherever that stands. */
const onceInProduct = ['asn1js', 'entities', 'ical.js', 'mailparser', 'postal-mime', 'sanitize-html'];

/** The things of the product that a command on a developer's machine runs by itself: pure, without settings or emulators. */
const devUses: Readonly<Record<string, readonly string[]>> = {
  'dev/bench/replay-dispositions.ts': ['intake'],
  'dev/bench/outbox-rows.ts': ['outbox'],
  'dev/drill/outgoing-mail.ts': ['outbox'],
  'dev/explain.ts': ['explanations', 'providers'],
  'dev/register-app.ts': ['providers'],
  'dev/register-app/allow-rotation.ts': ['providers'],
  'dev/register-app/finish-registrations.ts': ['providers'],
  'dev/register-app/wanted.ts': ['providers'],
  'dev/simulate/simulated-servers.ts': ['mailboxes'],
  'dev/simulate/simulation.ts': ['activity', 'intake', 'mailboxes'],
};

/** Every module a file names: import, export from, import(), import type. Comments do not count. */
function importsOf({ path, text }: SourceFile): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const patterns = [
    /^\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
  ];
  const found = patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, name]) => name ?? ''));
  return found.map((name) => (name.startsWith('.') ? posix.join(posix.dirname(path), name) : name));
}

const featureOf = (path: string): string | undefined => /^shared\/([^/]+)\//.exec(path)?.[1];
const areaOf = (path: string): string => path.split('/')[0] ?? '';
const packageOf = (name: string): string =>
  name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? name);
const isOwn = (name: string): boolean => /^(functions|shared|dev|tests)\//.test(name);

function wrongArrows(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter((target) => isOwn(target) && !mayImport(file.path, target))
      .map((target) => `${file.path} → ${target}`),
  );
}

function mayImport(from: string, target: string): boolean {
  const [area, targetArea] = [areaOf(from), areaOf(target)];
  if (area === 'tests') return true;
  if (area === 'functions') return targetArea === 'functions' || targetArea === 'shared';
  const feature = featureOf(from);
  const used = featureOf(target);
  if (area === 'dev')
    return (
      targetArea === 'dev' ||
      // The simulation runs the product on the stand-ins that pass the contract of the real storage.
      (from.startsWith('dev/simulate/') && target.startsWith('tests/harness/memory/')) ||
      (used !== undefined && (used === 'platform' || devUses[from]?.includes(used) === true))
    );
  if (feature === undefined || used === undefined) return false;
  return used === feature || used === 'platform' || featureEdges[feature]?.includes(used) === true;
}

/** What the tables above allow and no file does: an arrow between features, one of a command, a place of a package. */
function unusedPermissions(
  files: readonly SourceFile[],
  edges: Readonly<Record<string, readonly string[]>> = featureEdges,
): string[] {
  const used = new Set<string>();
  for (const file of files)
    for (const target of importsOf(file))
      for (const from of [featureOf(file.path), file.path])
        used.add(`${from} → ${featureOf(target) ?? packageOf(target)}`);
  const arrows = [...Object.entries(edges), ...Object.entries(devUses)].flatMap(([from, targets]) =>
    targets.map((target) => `${from} → ${target}`).filter((arrow) => !used.has(arrow)),
  );
  const homes = Object.entries(packageHomes).flatMap(([name, places]) =>
    places
      .filter((place) => !files.some(({ path }) => place.test(path) && used.has(`${path} → ${name}`)))
      .map((place) => `${name} in ${place}`),
  );
  return [...arrows, ...homes];
}

/** A use case decides and writes. It knows no request and no page, so that any trigger can call it. */
function pagesInUseCases(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.startsWith('functions/use-cases/'))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => packageOf(name) === 'hono' || /^functions\/(http|pages)\/|\.tsx$/.test(name))
        .map((name) => `${file.path} → ${name}`),
    );
}

/** `dev` runs the built app; of the product it may know the shapes alone. */
function valuesFromProductInDev(files: readonly SourceFile[]): string[] {
  const importOfValue = /^\s*import\s+(?!type\b)[^;]*?from\s*['"][^'"]*shared\/[^'"]*['"]/gm;
  return files
    .filter(({ path }) => areaOf(path) === 'dev' && devUses[path] === undefined)
    .flatMap(({ path, text }) =>
      [...text.matchAll(importOfValue)].map(([line]) => `${path}: ${line.trim()}`),
    );
}

function packagesAwayFromHome(files: readonly SourceFile[]): string[] {
  return productAndDev(files).flatMap((file) =>
    importsOf(file)
      .filter((name) => !isOwn(name) && !name.startsWith('node:'))
      .filter((name) => packageHomes[packageOf(name)]?.some((home) => home.test(file.path)) !== true)
      .map((name) => `${file.path} uses ${name}`),
  );
}

function packagesInSeveralPlaces(files: readonly SourceFile[]): string[] {
  return onceInProduct.flatMap((name) => {
    const users = productAndDev(files).filter(
      (file) => areaOf(file.path) !== 'dev' && importsOf(file).some((used) => packageOf(used) === name),
    );
    return users.length > 1 ? [`${name}: ${users.map(({ path }) => path).join(', ')}`] : [];
  });
}

/** What tests share stands in `tests/harness`; a folder of tests takes nothing from a sibling, the harness nothing from either. */
function helpersOfOtherTests(files: readonly SourceFile[]): string[] {
  const folderOf = (path: string): string => path.split('/').slice(0, 2).join('/');
  return files
    .filter(({ path }) => areaOf(path) === 'tests')
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => areaOf(target) === 'tests' && folderOf(target) !== 'tests/harness')
        .filter((target) => folderOf(target) !== folderOf(file.path))
        .map((target) => `${file.path} → ${target}`),
    );
}

/** `app` registers functions: it has one owner, so that one file lists everything that can start the app. */
/** The product, and the empty app that the bench compares it with. */
const entries = ['functions/main.ts', 'dev/bench/empty-app.ts'];

function registrationsOutsideMain(files: readonly SourceFile[]): string[] {
  const takesApp = /import\s*(?:type\s*)?\{[^}]*\bapp\b[^}]*\}\s*from\s*['"]@azure\/functions['"]/;
  return productAndDev(files)
    .filter(({ path, text }) => !entries.includes(path) && takesApp.test(text))
    .map(({ path }) => path);
}

/** A feature that uses itself through others could not be taken apart. */
function cyclesOf(edges: Readonly<Record<string, readonly string[]>>): string[] {
  const reaches = (from: string, to: string, seen: readonly string[] = []): boolean =>
    (edges[from] ?? []).some(
      (next) => next === to || (!seen.includes(next) && reaches(next, to, [...seen, next])),
    );
  return Object.keys(edges).filter((feature) => reaches(feature, feature));
}

const productAndDev = (files: readonly SourceFile[]): SourceFile[] =>
  files.filter(({ path }) => areaOf(path) !== 'tests');

const root = dirname(import.meta.dirname);
const sources: readonly SourceFile[] = globSync('{functions,shared,dev,tests}/**/*.{ts,tsx}', {
  cwd: root,
}).map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, path), 'utf8') }));
const planted = (path: string, text: string): SourceFile[] => [...sources, { path, text }];

describe('arrows', () => {
  test('point from functions to features to the platform', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(wrongArrows(sources)).toEqual([]);
  });

  test.each([
    ['shared/platform/x.ts', "import type { Ticket } from '../shared/tickets/ticket.ts';"],
    ['shared/tickets/x.ts', "import { a } from '../shared/intake/ledger.ts';"],
    ['shared/mailboxes/x.ts', "export { a } from '../functions/http/guard.ts';"],
    ['shared/ui/x.tsx', "const a = await import('../shared/tickets/ticket.ts');"],
    ['shared/newcomer/x.ts', "import { a } from '../shared/tickets/ticket.ts';"],
    ['shared/tickets/x.ts', "import '../dev/build.ts';"],
    ['functions/x.ts', "import { a } from '../dev/build.ts';"],
    ['dev/x.ts', "import type {\n  Ticket,\n} from '../shared/tickets/ticket.ts';"],
    ['dev/x.ts', "import { a } from '../functions/http/guard.ts';"],
    ['dev/x.ts', "import { explainText } from '../shared/explanations/explain.ts';"],
    ['dev/explain.ts', "import { a } from '../shared/tickets/ticket.ts';"],
  ])('a wrong one in %s is found', (path, text) => {
    expect(wrongArrows(planted(path, text))).toHaveLength(1);
  });

  test('are each used, or stand in no table', () => {
    expect(unusedPermissions(sources)).toEqual([]);
    const unused = { ...featureEdges, tickets: ['mailboxes'] };
    expect(unusedPermissions(sources, unused)).toEqual(['tickets → mailboxes']);
  });

  test('are drawn only where there are some', () => {
    const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const drawing = /^ {2}subgraph features [^\n]*\n(.*?)^ {2}end$/ms.exec(page)?.[1] ?? '';
    const drawn = drawing.split('\n').flatMap((line) => {
      const names = line.split('-->').map((name) => /\["(.*)"\]/.exec(name)?.[1] ?? name.trim());
      return names.slice(1).map((name, index) => [names[index] ?? '', name] as const);
    });
    expect(drawn.length).toBeGreaterThan(8);
    expect(drawn.filter(([from, to]) => featureEdges[from]?.includes(to) !== true)).toEqual([]);
  });

  test('no feature leads back to itself', () => {
    expect(cyclesOf(featureEdges)).toEqual([]);
    expect(cyclesOf({ ...featureEdges, providers: ['consent'] })).toContain('consent');
  });

  test('dev knows shapes of the platform, never its values', () => {
    expect(valuesFromProductInDev(sources)).toEqual([]);
    const wrong = "import { log } from '../shared/platform/log.ts';";
    expect(valuesFromProductInDev(planted('dev/x.ts', wrong))).toHaveLength(1);
  });
});

describe('use cases', () => {
  test('know no request and no page', () => {
    expect(sources.some(({ path }) => path.startsWith('functions/use-cases/'))).toBe(true);
    expect(pagesInUseCases(sources)).toEqual([]);
  });

  test.each([
    "import type { PageContext } from '../http/web-environment.ts';",
    "import type { Context } from 'hono';",
    "import { showAccount } from '../pages/accounts/accounts.tsx';",
  ])('one with %s is found', (text) => {
    expect(pagesInUseCases(planted('functions/use-cases/x.ts', text))).toHaveLength(1);
  });
});

describe('helpers of tests', () => {
  test('stand in tests/harness when more than one folder uses them', () => {
    expect(helpersOfOtherTests(sources)).toEqual([]);
  });

  test.each([
    ['tests/tickets/x.test.ts', "import { a } from '../consent/helper.ts';"],
    ['tests/tickets/x.ts', "import type { A } from '../consent/helper.ts';"],
    ['tests/harness/memory/x.ts', "import { a } from '../../consent/helper.ts';"],
    ['tests/x.test.ts', "import { a } from './consent/helper.ts';"],
  ])('one that %s takes from a sibling is found', (path, text) => {
    expect(helpersOfOtherTests(planted(path, text))).toHaveLength(1);
  });

  test('of its own folder and of the harness a test may use', () => {
    const text = "import { a } from './helper.ts';\nimport { b } from './harness/memory/seeded.ts';";
    expect(helpersOfOtherTests(planted('tests/tickets/x.test.ts', text))).toEqual([]);
  });
});

describe('third-party packages', () => {
  test('are imported in their one place', () => {
    expect(packagesAwayFromHome(sources)).toEqual([]);
    expect(packagesInSeveralPlaces(sources)).toEqual([]);
  });

  test.each([
    ['shared/tickets/x.ts', "import { TableClient } from '@azure/data-tables';"],
    ['shared/tickets/x.ts', "import type { BlobClient } from '@azure/storage-blob';"],
    ['functions/x.ts', "await import('imapflow');"],
    ['shared/intake/x.ts', "import { Hono } from 'hono/tiny';"],
    ['dev/x.ts', "import express from 'express';"],
  ])('one away from home in %s is found', (path, text) => {
    expect(packagesAwayFromHome(planted(path, text))).toHaveLength(1);
  });

  test('one in two places is found', () => {
    const first = { path: 'shared/consent/a.ts', text: "import { parse } from 'mailparser';" };
    const second = { path: 'shared/accounts/b.ts', text: "import { parse } from 'mailparser';" };
    expect(packagesInSeveralPlaces([first])).toEqual([]);
    expect(packagesInSeveralPlaces([first, second])).toHaveLength(1);
  });

  test('only main.ts registers functions', () => {
    expect(registrationsOutsideMain(sources)).toEqual([]);
    const wrong = "import { app, type HttpHandler } from '@azure/functions';";
    expect(registrationsOutsideMain(planted('functions/x.ts', wrong))).toEqual(['functions/x.ts']);
  });
});
