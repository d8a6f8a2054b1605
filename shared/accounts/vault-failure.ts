import { vaultMeaning } from '../explanations/vault-problems.ts';
import { PostroomError } from '../platform/errors.ts';
import { isVaultCode, type VaultCode } from '../platform/problem.ts';

/** Key Vault or the managed identity did not give what a sign-in takes. */
export interface VaultFailure {
  kind: 'vault-away';
  /** As it was thrown. */
  code: VaultCode;
  /** Our own sentence for it; names no secret. */
  said: string;
}

const WAIT = 'Wait a minute. If the problem persists, check the Health page.';

/**
 * Does something that needs the vault, for a person who waits for a page: what is wrong there comes back as a value.
 * @throws whatever else breaks
 */
export async function withVault<T>(work: () => Promise<T>): Promise<T | VaultFailure> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PostroomError) || !isVaultCode(error.code)) throw error;
    return { kind: 'vault-away', code: error.code, said: error.message };
  }
}

/** What is wrong, as a part of a sentence, and what a person who looks after Postroom does about it. Pure. */
export function vaultInWords({ code }: Pick<VaultFailure, 'code'>): { happened: string; next: string } {
  const { title, steps, retry } = vaultMeaning(code);
  // Here a person waits for a page: what passes by itself has to be tried again.
  const next = retry === 'by-itself' ? WAIT : steps.join(' ');
  return { happened: title, next };
}
