import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * What a person expects of one message of the mail folder. Written by hand from the raw message; the bytes of the
 * attachments were decoded with a tool other than the project's.
 */
export interface Expectation {
  /** Below the mail folder. */
  path: string;
  /** The sender's address, its domain in ASCII; null if the message has no usable one. */
  from: string | null;
  /** The sender's display name, or the text in place of an unusable address. */
  name: string | null;
  subject: string;
  /** How the body begins and ends. White space does not count. */
  first?: string;
  last?: string;
  /** Sentences of the body. */
  holds?: string[];
  /** Words of the transport, which no reader wants to see. */
  lacks?: string[];
  /** Sentences that are in the body or in an attachment: of a message that is forwarded inline. */
  anywhere?: string[];
  /** Sentences of the HTML, if it differs from the text. */
  html?: string[];
  files: ExpectedFile[];
  /** Names of optional attachments, which may be shown or not. */
  mayAlso?: string[];
}

export interface ExpectedFile {
  /** `*` matches any characters: a part without a name gets one by its type. */
  name: string;
  bytes: number;
  sha256: string;
}

const file = z.strictObject({ name: z.string(), bytes: z.int(), sha256: z.string().length(64) });
const expectation = z.strictObject({
  path: z.string(),
  from: z.string().nullable(),
  name: z.string().nullable(),
  subject: z.string(),
  first: z.string().exactOptional(),
  last: z.string().exactOptional(),
  holds: z.array(z.string()).exactOptional(),
  lacks: z.array(z.string()).exactOptional(),
  anywhere: z.array(z.string()).exactOptional(),
  html: z.array(z.string()).exactOptional(),
  files: z.array(file),
  mayAlso: z.array(z.string()).exactOptional(),
});

/** One file for each set of messages; its name is the set's folder. */
export function readExpectations(): Expectation[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      const set = name.replace('.json', '');
      const entries: unknown = JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'));
      return z
        .array(expectation)
        .parse(entries)
        .map((entry): Expectation => ({ ...entry, path: `${set}/${entry.path}` }));
    });
}
