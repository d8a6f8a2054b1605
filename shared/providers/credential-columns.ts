import { PostroomError } from '../platform/errors.ts';
import type { Row, Value } from '../platform/tables.ts';
import type { Credential, HeldCredentials, VaultVersion } from './credential.ts';

type Columns = Record<string, Value | undefined>;
type Place = 'credential' | 'nextCredential';

/** The columns of a provider's credentials: one set for the present one, one for the next. */
export function columnsOfCredentials(held: HeldCredentials): Columns {
  return {
    ...columnsOf('credential', held.credential),
    ...columnsOf('nextCredential', held.nextCredential),
    retired:
      held.retired.length === 0
        ? undefined
        : held.retired.map(({ vaultName, version }) => `${vaultName}/${version}`).join(' '),
  };
}

/** @throws PostroomError `bad-row` when a column does not hold what was written there. */
export function credentialsOfRow(row: Row): HeldCredentials {
  return {
    credential: credentialOf(row, 'credential') ?? secretOfOldRow(row),
    nextCredential: credentialOf(row, 'nextCredential'),
    retired: retiredOf(row),
  };
}

function columnsOf(place: Place, credential: Credential | undefined): Columns {
  const stored = credential?.kind === 'federated' ? undefined : credential;
  return {
    [`${place}Kind`]: credential?.kind,
    [`${place}SetAt`]: credential?.setAt,
    [`${place}VaultName`]: stored?.vaultName,
    [`${place}Version`]: stored?.version,
    [`${place}ExpiresOn`]: stored?.expiresOn,
    [`${place}Certificate`]: credential?.kind === 'certificate' ? credential.certificate : undefined,
  };
}

function credentialOf(row: Row, place: Place): Credential | undefined {
  const kind = row[`${place}Kind`];
  if (kind === undefined) return undefined;
  const setAt = text(row, `${place}SetAt`);
  if (kind === 'federated') return { kind, setAt };
  const entry = {
    vaultName: text(row, `${place}VaultName`),
    version: text(row, `${place}Version`),
    setAt,
  };
  const expiresOn = (): string => text(row, `${place}ExpiresOn`);
  if (kind === 'secret')
    return { kind, ...entry, expiresOn: row[`${place}ExpiresOn`] === undefined ? undefined : expiresOn() };
  if (kind === 'certificate')
    return { kind, ...entry, expiresOn: expiresOn(), certificate: text(row, `${place}Certificate`) };
  throw broken(row, `${place}Kind`);
}

/** Rows of the first release knew secrets alone, in columns of other names. */
function secretOfOldRow(row: Row): Credential | undefined {
  if (row['secretName'] === undefined) return undefined;
  return {
    kind: 'secret',
    vaultName: text(row, 'secretName'),
    version: text(row, 'secretVersion'),
    setAt: text(row, 'secretSetAt'),
    expiresOn: text(row, 'secretExpiresOn'),
  };
}

function retiredOf(row: Row): VaultVersion[] {
  const value = row['retired'];
  if (typeof value !== 'string') return [];
  return value.split(' ').map((entry) => {
    const [vaultName = '', version] = entry.split('/');
    if (version === undefined) throw broken(row, 'retired');
    return { vaultName, version };
  });
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw broken(row, column);
  return value;
}

const broken = (row: Row, column: string): PostroomError =>
  new PostroomError('bad-row', `Providers/${row.rowKey}.${column} does not hold what Postroom wrote there`);
