/**
 * `npm run host:check [-- --json]`: the built app behind Microsoft's own listeners. Builds a small C# program on the
 * WebJobs SDK, of which the Functions host is made, and lets it alone deliver timers and queue messages: a mailbox
 * connected through the pages becomes tickets, a bad message ends in the poison queue after five tries, and of two
 * instances each timer runs in one.
 *
 * Standard output has one line for each check, or with `--json` one array. Ends with 1 when a check fails; without the
 * .NET SDK nothing is checked, which is said and is a failure on a build server (POSTROOM_CI=1).
 */
import { parseArgs } from 'node:util';
import { buildListeners, findDotnet } from './host-check/dotnet.ts';
import { type CheckResult, runChecks } from './host-check/run-checks.ts';
import { type Command, runCommand, say } from './run-command.ts';

function lineOf({ check, ok, said, ms }: CheckResult): string {
  const line = `${ok ? 'ok  ' : 'FAIL'} ${check.padEnd(48)} ${(ms / 1000).toFixed(1)} s`;
  return said === '' ? line : `${line}\n${said}`;
}

async function main({ running }: Command): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const dotnet = await findDotnet();
  if (dotnet.kind === 'absent') {
    say(`NOTHING WAS CHECKED. ${dotnet.reason}`);
    if (values.json) process.stdout.write('[]\n');
    return process.env['POSTROOM_CI'] === '1' ? 1 : 0;
  }
  say(`Building Microsoft’s listeners with .NET ${dotnet.version} …`);
  const program = await buildListeners();
  const results: CheckResult[] = [];
  const done = (result: CheckResult): void => {
    results.push(result);
    if (!values.json) process.stdout.write(`${lineOf(result)}\n`);
  };
  const ok = await runChecks({ program, running, progress: say, done });
  if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  return ok ? 0 : 1;
}

await runCommand(main);
