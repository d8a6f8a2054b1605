import type { Account } from '../../shared/accounts/account.ts';
import { requestFurtherWays } from '../../shared/consent/further-ways.ts';
import type { Protocol } from '../../shared/providers/presets.ts';
import type { Visitor } from '../harness/pages/demo-app.ts';

/** The sign-in for further ways, as a page starts it with the fields of `requestFurtherWays`. */
export async function connectFurther(
  visitor: Visitor,
  account: Account,
  further: readonly Protocol[],
): Promise<void> {
  const request = requestFurtherWays(account, further, { address: account.address, shared: false });
  const ways = Object.fromEntries(request.protocols.map((way) => [way, 'on']));
  const fields = { address: request.address, ways: 'yes', ...ways };
  const { callback } = await visitor.leave(account.providerId, fields, account.user);
  await visitor.get(callback);
}
