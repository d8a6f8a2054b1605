import type { JSX } from 'hono/jsx/jsx-runtime';
import type { ConnectRequest } from '../../../shared/consent/consent.ts';

/** A connect request as hidden fields, to start the same sign-in once more. */
export function ConnectRequestFields(props: {
  connectRequest: ConnectRequest;
  /** Shows the provider's list of accounts in place of a hint. */
  choose?: boolean | undefined;
}): JSX.Element {
  const { connectRequest, choose } = props;
  const { replacement } = connectRequest;
  return (
    <>
      <input type="hidden" name="address" value={connectRequest.address} />
      <input type="hidden" name="who" value={connectRequest.shared ? 'shared' : 'self'} />
      <input type="hidden" name="signIn" value={connectRequest.signIn} />
      <input type="hidden" name="ways" value="yes" />
      {connectRequest.protocols.map((protocol) => (
        <input type="hidden" name={protocol} value="on" />
      ))}
      {choose === true ? <input type="hidden" name="choose" value="on" /> : null}
      {connectRequest.reconnect === undefined ? null : (
        <input type="hidden" name="mailbox" value={connectRequest.reconnect.mailboxId} />
      )}
      {connectRequest.confirmed === undefined ? null : (
        <input type="hidden" name="confirmed" value={connectRequest.confirmed} />
      )}
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
  connectRequest: ConnectRequest,
  user: string,
  replacement?: ConnectRequest['replacement'],
): ConnectRequest => ({
  ...connectRequest,
  signIn: user,
  shared: user.toLowerCase() !== connectRequest.address.toLowerCase(),
  chooseAccount: false,
  replacement,
});
