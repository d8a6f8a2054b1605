/**
 * `npm run drill [-- --json] [-- --only NAME] [-- --pictures FOLDER]`: fourteen faults, one at a time, each in
 * a demo of its own. Checks that Postroom reports what is wrong, why, and where to fix it, in time, by
 * webhook, by email and on its home page, and that it reports the end. The faults are injected into the
 * emulators (identity provider, mail server, Key Vault, a proxy in front of the storage; timers that do not
 * run), never into the app.
 *
 * With pictures, Chromium takes a screenshot of the home page during each fault, and one without a fault.
 *
 * Seconds are measured on the app's clock. The drill advances it one minute at a time and runs the timers
 * once per minute, as Azure does. Exits with 1 when an expectation was not met.
 */
import { parseArgs } from 'node:util';
import { buildApp, builtApp, isBuildCurrent } from './build.ts';
import { drillFaults } from './drill/drill-faults.ts';
import { type DrillPictures, type DrillResult, runDrill } from './drill/run-drill.ts';
import type { Camera } from './drill/take-pictures.ts';
import { runCommand, say } from './run-command.ts';

function shown({ fault, secondsToAlert, secondsToClose, wrong, ...told }: DrillResult): string {
  const line = (name: string, value: string | number | undefined): string =>
    `  ${name.padEnd(11)}${value ?? 'none'}`;
  return [
    `${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${fault}`,
    line('alert', told.alert),
    line('code', told.code),
    line('cause', told.cause),
    line('link', told.link),
    line('home page', told.home),
    line('said', secondsToAlert === undefined ? undefined : `after ${secondsToAlert} s`),
    line('closed', secondsToClose === undefined ? undefined : `after ${secondsToClose} s`),
    ...wrong.map((sentence) => `  !! ${sentence}`),
  ].join('\n');
}

/** Fifteen screenshots for fourteen faults: after the first fault, also the home page with nothing wrong. */
function picturesOf(camera: Camera, fault: string, index: number): DrillPictures {
  const number = drillFaults.findIndex(({ name }) => name === fault) + 1;
  const during = `${String(number).padStart(2, '0')}-${fault.replaceAll(' ', '-')}`;
  return { camera, during, after: index === 0 ? `${drillFaults.length + 1}-nothing-wrong` : undefined };
}

/** Loaded only for pictures: without them a drill needs no browser. */
async function cameraIn(folder: string): Promise<Camera> {
  const { openCamera } = await import('./drill/take-pictures.ts');
  return openCamera(folder);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      pictures: { type: 'string' },
    },
  });
  const faults = drillFaults.filter(({ name }) => values.only === undefined || name.includes(values.only));
  if (faults.length === 0)
    throw new Error(`The faults are: ${drillFaults.map(({ name }) => name).join(', ')}.`);
  if (!(await isBuildCurrent())) {
    say('Building …');
    await buildApp();
  }
  say('Seconds are on the app’s clock, which advances one minute at a time.');
  await using camera = values.pictures === undefined ? undefined : await cameraIn(values.pictures);
  const results: DrillResult[] = [];
  for (const [index, fault] of faults.entries()) {
    const result = await runDrill(builtApp, fault, camera && picturesOf(camera, fault.name, index));
    results.push(result);
    if (!values.json) process.stdout.write(`${shown(result)}\n`);
    else for (const sentence of result.wrong) say(`${fault.name}: ${sentence}`);
  }
  if (values.json)
    process.stdout.write(`${JSON.stringify(results.map(({ wrong: _wrong, ...result }) => result))}\n`);
  return results.every(({ wrong }) => wrong.length === 0) ? 0 : 1;
}

await runCommand(main);
