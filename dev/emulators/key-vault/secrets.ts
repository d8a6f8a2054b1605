import { randomBytes } from 'node:crypto';
import { readJson, writeAtomically } from '../process/state-file.ts';

/** One version of a secret, times in seconds since 1970. */
export interface SecretVersion {
  version: string;
  value: string;
  enabled: boolean;
  contentType?: string;
  tags: Record<string, string>;
  exp?: number;
  nbf?: number;
  created: number;
  updated: number;
}

export interface DeletedSecret {
  versions: SecretVersion[];
  deletedDate: number;
  scheduledPurgeDate: number;
  /** ms since 1970: until then it is "being deleted". */
  visible: number;
}

/** The attributes that a request may set. */
export interface SecretInput {
  value?: string;
  contentType?: string;
  tags?: Record<string, string>;
  attributes?: { enabled?: boolean; exp?: number | null; nbf?: number | null };
}

/** An error response of the vault, in Key Vault's words. */
export class VaultError extends Error {
  readonly status: number;
  readonly code: string;
  readonly inner: string | undefined;

  constructor(status: number, code: string, message: string, inner?: string) {
    super(message);
    this.name = 'VaultError';
    this.status = status;
    this.code = code;
    this.inner = inner;
  }
}

const LARGEST_VALUE = 25_600;
const RETENTION_DAYS = 90;

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const badParameter = (message: string): VaultError => new VaultError(400, 'BadParameter', message);
const notFound = (name: string): VaultError =>
  new VaultError(
    404,
    'SecretNotFound',
    `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );

/** The secrets of a vault with soft delete, in memory or in one file that is replaced at each change. */
export interface Secrets {
  set(name: string, input: SecretInput): SecretVersion;
  get(name: string, version?: string): SecretVersion;
  update(name: string, version: string | undefined, input: SecretInput): SecretVersion;
  remove(name: string): DeletedSecret;
  recover(name: string): SecretVersion;
  purge(name: string): void;
  deleted(name: string): DeletedSecret;
  versions(name: string): readonly SecretVersion[];
  /** Names with their newest version, in order. */
  list(): [name: string, newest: SecretVersion][];
  listDeleted(): [name: string, deleted: DeletedSecret][];
  backup(name: string): string;
  restore(blob: string): [name: string, newest: SecretVersion];
}

interface Kept {
  live: [string, SecretVersion[]][];
  deleted: [string, DeletedSecret][];
}

/** @param settleMs how long a deleted secret stays "being deleted", for some seconds on Azure */
export function openSecrets(file: string | undefined, settleMs: number): Secrets {
  const kept = file === undefined ? undefined : readJson<Kept>(file);
  const live = new Map(kept?.live ?? []);
  const gone = new Map(kept?.deleted ?? []);
  const save = (): void => {
    if (file === undefined) return;
    const state: Kept = { live: [...live], deleted: [...gone] };
    writeAtomically(file, JSON.stringify(state));
  };

  const refuseDeletedName = (name: string): void => {
    const deleted = gone.get(name);
    if (deleted === undefined) return;
    const [what, inner] =
      deleted.visible > Date.now()
        ? ['being deleted and cannot be re-created; retry later.', 'ObjectIsBeingDeleted']
        : [
            'in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.',
            'ObjectIsDeletedButRecoverable',
          ];
    throw new VaultError(409, 'Conflict', `Secret ${name} is currently ${what}`, inner);
  };
  const versionsOf = (name: string): SecretVersion[] => {
    const versions = live.get(name);
    if (versions === undefined) throw notFound(name);
    return versions;
  };
  const newest = (versions: readonly SecretVersion[], name: string): SecretVersion => {
    const last = versions.at(-1);
    if (last === undefined) throw notFound(name);
    return last;
  };
  const versionOf = (name: string, version: string | undefined): SecretVersion => {
    const versions = versionsOf(name);
    if (version === undefined) return newest(versions, name);
    const found = versions.find((candidate) => candidate.version === version);
    if (found === undefined) throw notFound(`${name}/${version}`);
    return found;
  };
  const deletedOf = (name: string): DeletedSecret => {
    const deleted = gone.get(name);
    if (deleted === undefined || deleted.visible > Date.now())
      throw new VaultError(404, 'SecretNotFound', `Deleted Secret not found: ${name}`);
    return deleted;
  };

  return {
    set(name, input) {
      refuseDeletedName(name);
      const { value } = input;
      if (typeof value !== 'string') throw badParameter('Property  has invalid value\r\n');
      if (Buffer.byteLength(value) > LARGEST_VALUE)
        throw badParameter(`Secret value is too large; the maximum is ${LARGEST_VALUE} bytes.`);
      const now = nowSeconds();
      const version: SecretVersion = {
        version: randomBytes(16).toString('hex'),
        value,
        enabled: true,
        tags: {},
        created: now,
        updated: now,
      };
      describe(version, input);
      const versions = live.get(name);
      if (versions === undefined) live.set(name, [version]);
      else versions.push(version);
      save();
      return version;
    },
    get(name, version) {
      const found = versionOf(name, version);
      // `exp` and `nbf` do not prevent reading, on Azure neither: callers must check them.
      if (!found.enabled)
        throw new VaultError(
          403,
          'Forbidden',
          'Operation get is not allowed on a disabled secret.',
          'SecretDisabled',
        );
      return found;
    },
    update(name, version, input) {
      const found = versionOf(name, version);
      describe(found, input);
      save();
      return found;
    },
    remove(name) {
      const versions = versionsOf(name);
      const deletedDate = nowSeconds();
      const deleted: DeletedSecret = {
        versions,
        deletedDate,
        scheduledPurgeDate: deletedDate + RETENTION_DAYS * 86_400,
        visible: Date.now() + settleMs,
      };
      live.delete(name);
      gone.set(name, deleted);
      save();
      return deleted;
    },
    recover(name) {
      const { versions } = deletedOf(name);
      gone.delete(name);
      live.set(name, versions);
      save();
      return newest(versions, name);
    },
    purge(name) {
      deletedOf(name);
      gone.delete(name);
      save();
    },
    deleted: deletedOf,
    versions: versionsOf,
    list: () => inOrder(live).map(([name, versions]) => [name, newest(versions, name)]),
    listDeleted: () => inOrder(gone).filter(([, { visible }]) => visible <= Date.now()),
    backup: (name) => Buffer.from(JSON.stringify({ name, versions: versionsOf(name) })).toString('base64url'),
    restore(blob) {
      const { name, versions } = readBackup(blob);
      if (live.has(name))
        throw new VaultError(
          409,
          'Conflict',
          `There was a conflict restoring the secret ${name}. The secret already exists.`,
        );
      refuseDeletedName(name);
      live.set(name, versions);
      save();
      return [name, newest(versions, name)];
    },
  };
}

const inOrder = <T>(map: Map<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

function readBackup(blob: string): { name: string; versions: SecretVersion[] } {
  try {
    return JSON.parse(Buffer.from(blob, 'base64url').toString()) as {
      name: string;
      versions: SecretVersion[];
    };
  } catch {
    throw badParameter('The backup blob is not valid.');
  }
}

/** Applies the attributes of a request to a version; others are unchanged. */
function describe(version: SecretVersion, { attributes, tags, contentType }: SecretInput): void {
  if (attributes?.enabled !== undefined) version.enabled = attributes.enabled;
  for (const name of ['exp', 'nbf'] as const) {
    const value = attributes?.[name];
    if (value === null) delete version[name];
    else if (value !== undefined) version[name] = value;
  }
  if (tags !== undefined) {
    if (Object.keys(tags).length > 15) throw badParameter('The request contains more than 15 tags.');
    version.tags = tags;
  }
  if (contentType !== undefined) {
    if (contentType.length > 255) throw badParameter('The contentType is longer than 255 characters.');
    version.contentType = contentType;
  }
  version.updated = nowSeconds();
}
