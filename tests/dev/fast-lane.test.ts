import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../../dev/build.ts';
import { forbidOutside } from '../../dev/fast-lane/forbid-outside.ts';
import { lanesOf } from '../../dev/fast-lane/lanes.ts';

const lanes = await lanesOf(projectRoot);
const named = lanes.map(({ file, outside }) => ({
  file,
  outside,
  lane: outside === undefined ? 'fast' : `not fast: ${outside.split(' → ').at(-1)}`,
}));

describe('the lane of each test', () => {
  // The names list the fast files, and the reasons for the others.
  test.each(named)('$file is $lane', ({ file, outside }) => {
    if (/-in-browser|\/stories\/|\/acceptance\/|\/emulators\/(azurite|stack|mail-debian)/.test(file))
      expect(outside).toBeDefined();
    if (outside !== undefined) expect(outside.startsWith(`${file} → `)).toBe(true);
  });

  test('is fast for a fair share of them', () => {
    expect(lanes.filter(({ outside }) => outside === undefined).length).toBeGreaterThan(60);
  });
});

describe('a test', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'postroom-lanes-'));
    put('shared/platform/thread-pool.ts', "import { Worker } from 'node:worker_threads';\nnew Worker('x');");
    put('shared/mailboxes/line.ts', "import { connect } from 'node:net';\nconnect(1);");
    put('shared/x.ts', "export interface X { x: 1 }\nimport 'node:child_process';");
    put('dev/server.ts', "import { createServer } from 'node:http';\ncreateServer();");
    put('tests/helper.ts', "import '../dev/server.ts';");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  async function outsideOf(text: string): Promise<string | undefined> {
    put('tests/some.test.ts', text);
    const [lane] = await lanesOf(root);
    return lane?.outside;
  }

  test.each([
    ["import '../shared/mailboxes/line.ts';"],
    ["import type { Server } from 'node:net';\nexport const a: Server | undefined = undefined;"],
    ["// import 'node:net';\nexport const text = \"import 'node:http'\";"],
    ["import { readFileSync } from 'node:fs';\nreadFileSync('x');"],
  ])('that starts and calls nothing is fast: %s', async (text) => {
    expect(await outsideOf(text)).toBeUndefined();
  });

  test.each([
    ["import './helper.ts';", 'tests/helper.ts → dev/server.ts → node:http'],
    ["await import('./helper.ts');", 'tests/helper.ts → dev/server.ts → node:http'],
    ["export * from '../dev/server.ts';", 'dev/server.ts → node:http'],
    ["import 'node:child_process';", 'node:child_process'],
    ["import 'playwright-core';", 'playwright-core'],
    ["import 'a-package-that-nobody-judged';", 'a-package-that-nobody-judged'],
    ["import '../shared/platform/thread-pool.ts';", 'shared/platform/thread-pool.ts'],
  ])('with %s is not fast', async (text, way) => {
    expect(await outsideOf(text)).toBe(`tests/some.test.ts → ${way}`);
  });
});

describe('in the fast lane', () => {
  test('a socket, a server and a process are refused, whatever the imports are', async () => {
    const lift = forbidOutside();
    try {
      const refused = /^A test of the fast lane cannot /;
      expect(() => createServer().listen(0)).toThrow(refused);
      expect(() => connect(9, '127.0.0.1')).toThrow(refused);
      expect(() => spawn('true')).toThrow(refused);
      expect(() => spawnSync('true')).toThrow(refused);
      expect(() => execFileSync('true')).toThrow(refused);
      await expect(fetch('http://127.0.0.1:9')).rejects.toThrow();
    } finally {
      lift();
    }
    expect(execFileSync(process.execPath, ['-p', '1']).toString().trim()).toBe('1');
  });
});
