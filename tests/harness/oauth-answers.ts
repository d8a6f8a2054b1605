import type { OAuthClient } from '../../shared/accounts/oauth-client.ts';

const unexpected = (): never => {
  throw new Error('this test expects no such request to the provider');
};

/** A provider that answers as the test says, without a network. The client that speaks OAuth has tests of its own. */
export const oauthAnswers = (answers: Partial<OAuthClient>): OAuthClient => ({
  reach: unexpected,
  authorizationAddress: unexpected,
  redeem: unexpected,
  refresh: unexpected,
  clientCredentials: unexpected,
  ...answers,
});
