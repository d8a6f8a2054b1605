import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deliverOnce, mailsOfFolder } from '../../dev/demo/emails.ts';
import { parseStartOptions } from '../../dev/start-options.ts';
import { startedJson, startedScreen } from '../../dev/start-screen.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postroom-start-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the options of npm start', () => {
  test('are read', () => {
    expect(parseStartOptions(['--json', '--mail', 'x', '--port', '0'])).toEqual({
      kind: 'options',
      options: { json: true, empty: false, mailFolder: 'x', port: 0 },
    });
  });

  test.each([
    [['--prot', '1'], "Unknown option '--prot'. Known are: --empty, --mail FOLDER, --json, --port NUMBER."],
    [['--port', 'x'], '"x" is no port: give a number from 0 to 65535.'],
    [['--port', '65536'], '"65536" is no port: give a number from 0 to 65535.'],
    [['--empty', '--mail', 'x'], 'Choose one of --empty and --mail FOLDER.'],
  ])('%j is rejected in a sentence', (args, sentence) => {
    expect(parseStartOptions(args)).toEqual({ kind: 'refused', sentence });
  });
});

describe('emails for the demo mailbox', () => {
  test('are delivered once, even if a delivery is interrupted', async () => {
    const mails = ['a', 'b', 'c'].map((name) => ({ name, raw: Buffer.from(name) }));
    const came: string[] = [];
    const deliver = async ({ raw }: { raw: Uint8Array }): Promise<void> => {
      if (came.length === 1 && Buffer.from(raw).toString() === 'b') {
        came.push('broken');
        throw new Error('the mail server went away');
      }
      came.push(Buffer.from(raw).toString());
    };
    await expect(deliverOnce(folder, 'demo', mails, deliver)).rejects.toThrow('went away');
    expect(await deliverOnce(folder, 'demo', mails, deliver)).toBe(2);
    expect(await deliverOnce(folder, 'demo', mails, deliver)).toBe(0);
    expect(came).toEqual(['a', 'broken', 'b', 'c']);
    expect(await deliverOnce(folder, 'elsewhere', mails.slice(0, 1), deliver)).toBe(1);
  });

  test('come from every file of a folder, in order', async () => {
    await mkdir(join(folder, 'in', 'b'), { recursive: true });
    await writeFile(join(folder, 'in', 'b', '1.eml'), 'two');
    await writeFile(join(folder, 'in', 'a.eml'), 'one');
    const mails = await mailsOfFolder(join(folder, 'in'));
    expect(mails.map(({ raw }) => Buffer.from(raw).toString())).toEqual(['one', 'two']);
    await expect(mailsOfFolder(join(folder, 'nowhere'))).rejects.toThrow(
      /^There is no folder .* with emails/,
    );
  });
});

describe('the ready message of npm start', () => {
  const world = {
    url: 'http://localhost:7071',
    people: [{ id: '1', name: 'Alex Admin', upn: 'alex@contoso.example', roles: ['admin'] }],
    mailboxes: ['support@contoso.example'],
    waitingMails: 12,
    smtp: { host: '127.0.0.1', port: 2525 },
    stateDir: '.local',
    logFile: '.local/log/host.log',
  };

  test('is one line for programs', () => {
    const line = startedJson(world);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toMatchObject({
      url: 'http://localhost:7071',
      accounts: [{ name: 'Alex Admin', upn: 'alex@contoso.example', roles: ['admin'] }],
    });
  });

  test('is a short screen for people', () => {
    const screen = startedScreen(world);
    for (const part of ['http://localhost:7071', 'Alex Admin', '12 emails', '127.0.0.1, port 2525', 'Ctrl-C'])
      expect(screen).toContain(part);
    expect(screen.split('\n').length).toBeLessThan(12);
  });
});
