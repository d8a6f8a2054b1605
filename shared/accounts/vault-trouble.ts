import { PostroomError } from '../platform/errors.ts';

/** Key Vault or the managed identity did not give what a sign-in takes. */
export interface VaultTrouble {
  kind: 'vault-away';
  /** As it was thrown: `key-vault…`, `no-identity`, `secret-disabled` (the data key), `sealed-unreadable`. */
  code: string;
  /** Our own sentence for it; names no secret. */
  said: string;
}

const CODES = /^(?:key-vault|no-identity$|secret-disabled$|sealed-unreadable$|bad-data-key$)/;

/**
 * Does something that needs the vault, for a person who waits for a page: what is wrong there comes back as a value.
 * @throws whatever else breaks
 */
export async function withVault<T>(work: () => Promise<T>): Promise<T | VaultTrouble> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PostroomError) || !CODES.test(error.code)) throw error;
    return { kind: 'vault-away', code: error.code, said: error.message };
  }
}

const words: Readonly<Record<string, readonly [happened: string, next: string]>> = {
  'key-vault-denied': [
    'Key Vault denies access to this installation',
    'Assign Postroom’s managed identity its role on the vault again, and check that the vault’s firewall allows the installation.',
  ],
  'key-vault-throttled': ['Key Vault is throttling requests', 'Wait a minute.'],
  'no-identity': [
    'The managed identity returns no token',
    'Check the function app under Identity, “User assigned”: the installation’s identity must be listed there.',
  ],
  'secret-disabled': [
    'The encryption key is disabled in Key Vault',
    'Open the key vault, Secrets, postroom-data-key, and set its newest version to “Enabled”.',
  ],
  'bad-data-key': [
    'The encryption key in Key Vault was not created by Postroom',
    'Open the key vault, Secrets, postroom-data-key, and disable the version that was added there.',
  ],
  'sealed-unreadable': [
    'What Postroom stored for this sign-in cannot be read: the encryption key in Key Vault was replaced or removed in the meantime',
    'If the encryption key was deleted, recover it: open the key vault, Secrets, “Manage deleted secrets”.',
  ],
};

/** What is wrong, as a part of a sentence, and what a person who looks after Postroom does about it. Pure. */
export function vaultInWords({ code }: Pick<VaultTrouble, 'code'>): { happened: string; next: string } {
  const [happened, next] = words[code] ?? [
    'Key Vault does not respond',
    'Wait a minute. If the problem persists, check the Health page.',
  ];
  return { happened, next };
}
