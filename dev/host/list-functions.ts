/**
 * Loads a built app and prints its registrations as JSON; fails if there are none.
 *
 *   node dev/host/list-functions.ts FOLDER
 */
import { loadApp } from './load-app.ts';
import { inRouteOrder } from './route-template.ts';

const [folder] = process.argv.slice(2);
try {
  if (folder === undefined) throw new Error('Say which folder holds the built app.');
  const { core } = await loadApp(folder, () => {});
  const functions = inRouteOrder([...core.functions.values()]);
  console.log(JSON.stringify(functions.map(({ name, trigger }) => ({ name, trigger }))));
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
