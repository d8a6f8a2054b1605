import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const command = join(import.meta.dirname, '..', '..', 'dev', 'explain.ts');

function run(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

describe('npm run explain', () => {
  test('prints an explanation in plain text', () => {
    const { status, stdout, stderr } = run(['AADSTS7000222: The provided client secret keys are expired.']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^The client secret has expired \(AADSTS7000222\)\n/);
    expect(stdout).toContain('Who can fix it: a Postroom admin');
    expect(stdout).toMatch(/^ {2}1\. /m);
    expect(stdout).toContain('https://login.microsoftonline.com/error?code=7000222');
  });

  test('prints only JSON on request, with exactly these fields', () => {
    const { status, stdout, stderr } = run([
      '--json',
      'A2 BAD User is authenticated but not connected.',
      '--mailbox=help@contoso.com',
    ]);
    expect([status, stderr]).toEqual([0, '']);
    const answer: unknown = JSON.parse(stdout);
    expect(Object.keys(answer ?? {})).toEqual(['code', 'cause', 'who', 'steps', 'links', 'retry']);
    expect(answer).toMatchObject({ code: 'imap-no-access', who: 'tenant-admin', retry: 'after-fix' });
    expect(stdout).toContain('-Identity help@contoso.com');
  });

  test('explains a code of Postroom itself', () => {
    const { status, stdout } = run(['ticket-busy']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Several runs are changing one ticket at the same time \(ticket-busy\)\n/);
  });

  test('links to the portals of another cloud, and lists the clouds', () => {
    expect(run(['--json', 'AADSTS7000222', '--cloud=dod']).stdout).toContain('https://portal.azure.us/#view');
    const { status, stderr } = run(['AADSTS7000222', '--cloud=moon']);
    expect([status, stderr]).toEqual([1, 'The cloud is one of worldwide, gcc-high, dod, china.\n']);
  });

  test('accepts a line that begins with a dash, and one in several arguments', () => {
    expect(run(['--json', '-ERR', 'maildrop', 'already', 'locked']).stdout).toContain('"pop3-in-use"');
  });

  test('reads a copied page from standard input', () => {
    const page =
      'Sign in\nSorry, but we’re having trouble signing you in.\n\nAADSTS50105: Your administrator has configured …';
    expect(run([], page).stdout).toContain('(AADSTS50105)');
  });

  test('shows where two redirect URIs differ', () => {
    const { stdout } = run([
      "AADSTS50011: The redirect URI 'https://desk.contoso.com/Oauth/callback' specified in the request does not match",
      '--redirect-uri=https://desk.contoso.com/oauth/callback',
    ]);
    const lines = stdout.split('\n');
    const own = lines.indexOf('  https://desk.contoso.com/oauth/callback');
    expect(lines[own - 1]).toBe('  https://desk.contoso.com/Oauth/callback');
    expect(lines[own + 1]).toBe(`${' '.repeat(2 + 'https://desk.contoso.com/'.length)}^`);
  });

  test('prints its usage without input', () => {
    const { status, stdout, stderr } = run(['--json'], ' \n');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain("npm run explain -- '");
  });
});
