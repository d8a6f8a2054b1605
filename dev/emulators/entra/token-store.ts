import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { readIfThere, writeAtomically } from '../process/state-file.ts';

interface Entry {
  payload: AdapterPayload;
  /** ms since 1970; absent: never. The engine checks the expiry in the payload; here it only limits storage. */
  exp?: number;
}
type JournalLine = { k: string; v: Entry | null };

/**
 * Sessions, codes, grants and refresh tokens. A change is one line in the journal, written before the call
 * returns and so before the response with a token is sent: what a client has received survives a killed
 * process. Each start rewrites the journals without expired entries.
 */
export interface TokenStore {
  adapter(scope: string): new (kind: string) => Adapter;
  /** Ends grants, tokens and sessions of a user, as an admin's "revoke sessions" does. */
  revokeAccount(scope: string, accountId: string): void;
  /**
   * True for a refresh token that existed and was revoked, which Entra distinguishes from an unknown one
   * (AADSTS50173).
   */
  isRevoked(scope: string, refreshToken: string): boolean;
  /** The newest consent of a user to an app. */
  grantOf(scope: string, accountId: string, clientId: string): string | undefined;
  close(): void;
}

const TOMBSTONE = 'RevokedToken';
/** An expired token is stored this long: "expired" and "revoked" have other responses than "unknown". */
const MEMORY = 30 * 86_400_000;

/** @param stateDir folder of `tokens.jsonl`; undefined: in memory */
export function openTokenStore(stateDir: string | undefined): TokenStore {
  const file = stateDir === undefined ? undefined : join(stateDir, 'tokens.jsonl');
  const entries = file === undefined ? new Map<string, Entry>() : readJournal(file);
  const journal = file === undefined ? undefined : openJournal(file, entries);

  const put = (key: string, entry: Entry): void => {
    entries.set(key, entry);
    journal?.append({ k: key, v: entry });
  };
  const drop = (key: string): void => {
    if (entries.delete(key)) journal?.append({ k: key, v: null });
  };
  const revoke = (key: string): void => {
    const [scope, kind, id] = key.split('|');
    if (kind === 'RefreshToken')
      put(`${scope}|${TOMBSTONE}|${id}`, { payload: {}, exp: Date.now() + MEMORY });
    drop(key);
  };
  const revokeWhere = (scope: string, which: (payload: AdapterPayload) => boolean): void => {
    for (const [key, entry] of [...entries])
      if (key.startsWith(`${scope}|`) && which(entry.payload)) revoke(key);
  };

  return {
    adapter: (scope) =>
      class StoreAdapter implements Adapter {
        readonly kind: string;
        constructor(kind: string) {
          this.kind = kind;
        }
        key(id: string): string {
          return `${scope}|${this.kind}|${id}`;
        }
        async upsert(id: string, payload: AdapterPayload, lifeSeconds?: number): Promise<void> {
          const exp = lifeSeconds === undefined ? {} : { exp: Date.now() + lifeSeconds * 1000 };
          put(this.key(id), { payload, ...exp });
        }
        async find(id: string): Promise<AdapterPayload | undefined> {
          return entries.get(this.key(id))?.payload;
        }
        async findByUid(uid: string): Promise<AdapterPayload | undefined> {
          const prefix = this.key('');
          for (const [key, entry] of entries)
            if (key.startsWith(prefix) && entry.payload.uid === uid) return entry.payload;
          return undefined;
        }
        async findByUserCode(): Promise<undefined> {
          return undefined;
        }
        async consume(id: string): Promise<void> {
          const entry = entries.get(this.key(id));
          if (entry !== undefined)
            put(this.key(id), {
              ...entry,
              payload: { ...entry.payload, consumed: Math.floor(Date.now() / 1000) },
            });
        }
        async destroy(id: string): Promise<void> {
          drop(this.key(id));
        }
        async revokeByGrantId(grantId: string): Promise<void> {
          revokeWhere(scope, (payload) => payload.grantId === grantId);
        }
      },
    revokeAccount: (scope, accountId) => revokeWhere(scope, (payload) => payload.accountId === accountId),
    isRevoked: (scope, refreshToken) => entries.has(`${scope}|${TOMBSTONE}|${refreshToken}`),
    grantOf: (scope, accountId, clientId) => {
      const prefix = `${scope}|Grant|`;
      let newest: string | undefined;
      for (const [key, { payload }] of entries)
        if (key.startsWith(prefix) && payload.accountId === accountId && payload.clientId === clientId)
          newest = key.slice(prefix.length);
      return newest;
    },
    close: () => journal?.close(),
  };
}

function readJournal(file: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of (readIfThere(file) ?? '').split('\n')) {
    const change = parseLine(line);
    if (change === undefined) continue;
    if (change.v === null) entries.delete(change.k);
    else if (isWorthKeeping(change.k, change.v)) entries.set(change.k, change.v);
  }
  return entries;
}

function isWorthKeeping(key: string, entry: Entry): boolean {
  const memory = key.includes('|RefreshToken|') ? MEMORY : 0;
  return (entry.exp ?? Infinity) + memory > Date.now();
}

/** A line truncated by a killed process belongs to a response that was never sent: it is skipped. */
function parseLine(line: string): JournalLine | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as JournalLine;
  } catch {
    return undefined;
  }
}

function openJournal(
  file: string,
  entries: Map<string, Entry>,
): { append(line: JournalLine): void; close(): void } {
  const lines = [...entries].map(([k, v]) => `${JSON.stringify({ k, v })}\n`);
  mkdirSync(join(file, '..'), { recursive: true });
  writeAtomically(file, lines.join(''));
  const handle = openSync(file, 'a', 0o600);
  let closed = false;
  return {
    append: (line) => {
      writeSync(handle, `${JSON.stringify(line)}\n`);
    },
    close: () => {
      if (closed) return;
      closed = true;
      fsyncSync(handle);
      closeSync(handle);
    },
  };
}
