import { z } from 'zod';
import type { ConsentWish } from './consent.ts';

const wish = z.object({
  providerId: z.string(),
  address: z.string(),
  signIn: z.string(),
  shared: z.boolean(),
  chooseAccount: z.boolean(),
  protocols: z.array(z.enum(['imap', 'pop3', 'smtp'])),
  reconnect: z.object({ mailboxId: z.string(), accountId: z.string() }).optional(),
  replacement: z
    .union([
      z.object({ kind: z.literal('this'), accountId: z.string() }),
      z.object({ kind: z.literal('any') }),
    ])
    .optional(),
  confirmed: z.string().optional(),
});

/** A wish as a row keeps it in one column. @throws ZodError when the column holds something else */
export function wishOf(json: string): ConsentWish {
  const parsed = wish.parse(JSON.parse(json));
  return { ...parsed, reconnect: parsed.reconnect, replacement: parsed.replacement };
}
