/** The resources of an installation, from the compiler's snapshots, and the queries that tests make. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Shape } from '../../../dev/infra/infra-checks.ts';

export const projectRoot = dirname(dirname(dirname(import.meta.dirname)));
export const infra = join(projectRoot, 'infra');

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly location?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties?: Json;
}

export function readSnapshot(file: string): Resource[] {
  const { predictedResources } = JSON.parse(readFileSync(file, 'utf8')) as { predictedResources: Resource[] };
  return predictedResources;
}

export const committed = (shape: Shape): Resource[] => readSnapshot(join(infra, `${shape}.snapshot.json`));

export const ofType = (resources: readonly Resource[], type: string): Resource[] =>
  resources.filter((resource) => resource.type === type);

/** Names of the last part: `account/default/Tickets` is Tickets. */
export const leafNames = (resources: readonly Resource[], type: string): string[] =>
  ofType(resources, type).map(({ name }) => name.split('/').at(-1) ?? name);

/** A value inside a resource, by path: `siteConfig.minTlsVersion`, `subnets.0.name`. */
export function at(value: Json | undefined, path: string): Json | undefined {
  return path
    .split('.')
    .reduce<Json | undefined>(
      (inner, name) =>
        typeof inner === 'object' && inner !== null
          ? (inner as { readonly [name: string]: Json })[name]
          : undefined,
      value,
    );
}

/** A copy of the resources with one changed. @throws Error when none matches: a fault that is not planted proves nothing. */
export function withFault(
  resources: readonly Resource[],
  fits: (resource: Resource) => boolean,
  path: string,
  value: Json,
): Resource[] {
  const index = resources.findIndex(fits);
  const found = resources[index];
  if (found === undefined) throw new Error('There is no such resource to break.');
  return resources.with(index, set(found as unknown as Json, path.split('.'), value) as unknown as Resource);
}

function set(target: Json, [name, ...rest]: readonly string[], value: Json): Json {
  if (name === undefined) return value;
  if (Array.isArray(target)) return target.with(Number(name), set(target[Number(name)], rest, value));
  const fields = typeof target === 'object' && target !== null ? target : {};
  return { ...fields, [name]: set((fields as { [name: string]: Json })[name] ?? {}, rest, value) };
}

/** All strings of a value, each with its path. */
export function stringsIn(value: Json | undefined, path = ''): { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    stringsIn(inner as Json, path === '' ? name : `${path}.${name}`),
  );
}

/** The settings of the app by name. */
export function settingsOf(resources: readonly Resource[]): Readonly<Record<string, string>> {
  const found = ofType(resources, 'Microsoft.Web/sites/config').find(({ name }) =>
    name.endsWith('/appsettings'),
  );
  return (found?.properties ?? {}) as Readonly<Record<string, string>>;
}
