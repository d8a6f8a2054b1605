/**
 * `npm run drill [-- --json] [-- --only NAME]`: nine faults, one at a time, each in a world of its own: does Postroom say
 * what is wrong, why, and where to put it right, in time, and does it say when it is over? The faults are made in the
 * peers (identity provider, mail server, vault, a proxy before storage; the timers are not run), never in the app.
 *
 * Seconds are those of the app's clock, which the drill sets forward a minute at a time and on which it runs the timers
 * once a minute, as Azure does. Ends with 1 when something was not as promised.
 */
import { parseArgs } from 'node:util';
import { buildApp, builtApp, describeBuildError, isBuildCurrent } from './build.ts';
import { drillFaults } from './drill/drill-faults.ts';
import { type DrillResult, runDrill } from './drill/run-drill.ts';

/** Standard output belongs to the answer. */
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function shown({ fault, notice, cause, link, secondsToNotice, secondsToClose, wrong }: DrillResult): string {
  const line = (name: string, value: string | number | undefined): string =>
    `  ${name.padEnd(10)}${value ?? 'none'}`;
  return [
    `${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${fault}`,
    line('notice', notice),
    line('cause', cause),
    line('link', link),
    line('said', secondsToNotice === undefined ? undefined : `after ${secondsToNotice} s`),
    line('closed', secondsToClose === undefined ? undefined : `after ${secondsToClose} s`),
    ...wrong.map((sentence) => `  !! ${sentence}`),
  ].join('\n');
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, only: { type: 'string' } },
  });
  const faults = drillFaults.filter(({ name }) => values.only === undefined || name.includes(values.only));
  if (faults.length === 0)
    throw new Error(`The faults are: ${drillFaults.map(({ name }) => name).join(', ')}.`);
  if (!(await isBuildCurrent())) {
    say('Building …');
    await buildApp();
  }
  say('Seconds are those of the app’s clock, which is set forward a minute at a time.');
  const results: DrillResult[] = [];
  for (const fault of faults) {
    const result = await runDrill(builtApp, fault);
    results.push(result);
    if (!values.json) process.stdout.write(`${shown(result)}\n`);
    else for (const sentence of result.wrong) say(`${fault.name}: ${sentence}`);
  }
  if (values.json)
    process.stdout.write(`${JSON.stringify(results.map(({ wrong: _wrong, ...result }) => result))}\n`);
  return results.every(({ wrong }) => wrong.length === 0) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(describeBuildError(error));
  process.exitCode = 1;
}
