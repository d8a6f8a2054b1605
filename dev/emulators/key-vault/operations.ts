import { type SecretInput, type Secrets, VaultError } from './secrets.ts';
import { described, describedDeleted, withValue } from './shapes.ts';

// The operations on secrets, by path and method (Microsoft: Key Vault REST API, Secrets).

const NAME = /^[0-9a-zA-Z-]{1,127}$/;

/** The input of an operation. */
interface OpenVault {
  readonly secrets: Secrets;
  /** The vault's address. */
  readonly base: string;
  readonly pageSize: number | undefined;
}

interface Reply {
  status?: number;
  body?: unknown;
}

/** @throws VaultError for a body that is no JSON */
export function parseInput(body: string): SecretInput {
  if (body === '') return {};
  try {
    return JSON.parse(body) as SecretInput;
  } catch {
    throw new VaultError(400, 'BadParameter', 'The request body could not be read as JSON.');
  }
}

/** @throws VaultError for requests that Key Vault refuses */
export function performOperation(vault: OpenVault, method: string, url: URL, input: SecretInput): Reply {
  if (!url.searchParams.has('api-version'))
    throw new VaultError(400, 'BadParameter', 'api-version must be specified');
  // The client writes some paths with two slashes.
  const [root, name, sub] = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  if (name !== undefined && !NAME.test(name))
    throw new VaultError(400, 'BadParameter', `The request URI contains an invalid name: ${name}`);
  if (root === 'deletedsecrets') return performDeleted(vault, method, url, name, sub);
  if (root !== 'secrets') throw new VaultError(404, 'NotFound', 'Not found');
  const { secrets } = vault;
  if (name === undefined)
    return page(
      vault,
      url,
      secrets.list().map(([n, version]) => described(vault.base, n, version, { versioned: false })),
    );
  if (method === 'POST' && name === 'restore') {
    const [restored, newest] = secrets.restore(input.value ?? '');
    return { body: described(vault.base, restored, newest) };
  }
  if (method === 'POST' && sub === 'backup') return { body: { value: secrets.backup(name) } };
  if (method === 'GET' && sub === 'versions')
    return page(
      vault,
      url,
      secrets.versions(name).map((version) => described(vault.base, name, version)),
    );
  if (method === 'GET') return { body: withValue(vault.base, name, secrets.get(name, sub)) };
  if (method === 'PUT' && sub === undefined)
    return { body: withValue(vault.base, name, secrets.set(name, input)) };
  if (method === 'PATCH') return { body: described(vault.base, name, secrets.update(name, sub, input)) };
  if (method === 'DELETE' && sub === undefined)
    return { body: describedDeleted(vault.base, name, secrets.remove(name)) };
  throw new VaultError(405, 'MethodNotAllowed', 'The method is not allowed.');
}

function performDeleted(
  vault: OpenVault,
  method: string,
  url: URL,
  name: string | undefined,
  sub: string | undefined,
): Reply {
  const { secrets } = vault;
  if (name === undefined)
    return page(
      vault,
      url,
      secrets
        .listDeleted()
        .map(([n, deleted]) => describedDeleted(vault.base, n, deleted, { versioned: false })),
    );
  if (method === 'GET' && sub === undefined)
    return { body: describedDeleted(vault.base, name, secrets.deleted(name)) };
  if (method === 'DELETE' && sub === undefined) {
    secrets.purge(name);
    return { status: 204 };
  }
  if (method === 'POST' && sub === 'recover')
    return { body: described(vault.base, name, secrets.recover(name)) };
  throw new VaultError(405, 'MethodNotAllowed', 'The method is not allowed.');
}

function page(vault: OpenVault, url: URL, items: readonly unknown[]): Reply {
  const { searchParams } = url;
  const largest = vault.pageSize ?? 25;
  const size = Math.min(Number(searchParams.get('maxresults') ?? largest), largest);
  const from = Number(searchParams.get('$skiptoken') ?? 0);
  const more = new URLSearchParams({
    'api-version': searchParams.get('api-version') ?? '',
    $skiptoken: String(from + size),
    maxresults: String(size),
  });
  const nextLink = from + size < items.length ? `${vault.base}${url.pathname}?${more}` : null;
  return { body: { value: items.slice(from, from + size), nextLink } };
}
