import type { JSX } from 'hono/jsx/jsx-runtime';
import type { ConnectRequest } from '../../../shared/consent/consent.ts';

/** A connect request as hidden fields, to start the same sign-in once more. */
export function ConnectRequestFields(props: {
  wish: ConnectRequest;
  /** Shows the provider's list of accounts in place of a hint. */
  choose?: boolean | undefined;
}): JSX.Element {
  const { wish, choose } = props;
  const { replacement } = wish;
  return (
    <>
      <input type="hidden" name="address" value={wish.address} />
      <input type="hidden" name="who" value={wish.shared ? 'shared' : 'self'} />
      <input type="hidden" name="signIn" value={wish.signIn} />
      <input type="hidden" name="advanced" value="yes" />
      {wish.protocols.map((protocol) => (
        <input type="hidden" name={protocol} value="on" />
      ))}
      {choose === true ? <input type="hidden" name="choose" value="on" /> : null}
      {wish.reconnect === undefined ? null : (
        <input type="hidden" name="mailbox" value={wish.reconnect.mailboxId} />
      )}
      {wish.confirmed === undefined ? null : <input type="hidden" name="confirmed" value={wish.confirmed} />}
      {replacement === undefined ? null : (
        <input
          type="hidden"
          name="replacement"
          value={replacement.kind === 'any' ? 'any' : replacement.accountId}
        />
      )}
    </>
  );
}

/** The same request for the user who signed in: as a shared mailbox, or in place of the previous account. */
export const connectRequestFor = (
  wish: ConnectRequest,
  user: string,
  replacement?: ConnectRequest['replacement'],
): ConnectRequest => ({
  ...wish,
  signIn: user,
  shared: user.toLowerCase() !== wish.address.toLowerCase(),
  chooseAccount: false,
  replacement,
});
