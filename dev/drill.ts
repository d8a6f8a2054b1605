/**
 * `npm run drill [-- --json] [-- --only NAME] [-- --pictures FOLDER]`: nine faults, one at a time, each in a world of its
 * own: does Postroom say what is wrong, why, and where to put it right, in time, by webhook, by mail and on its home
 * page, and does it say when it is over? The faults are made in the emulators (identity provider, mail server, vault, a proxy
 * before storage; the timers are not run), never in the app.
 *
 * With pictures, Chromium keeps the home page with each fault, and once with none.
 *
 * Seconds are those of the app's clock, which the drill sets forward a minute at a time and on which it runs the timers
 * once a minute, as Azure does. Ends with 1 when something was not as promised.
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

/** Ten for nine faults: after the first one also the home page with nothing wrong. */
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
  say('Seconds are those of the app’s clock, which is set forward a minute at a time.');
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
